/* broker/loop: watches and timers, also when callbacks change them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "broker/loop.h"

struct counted {
	struct loop *loop;
	struct loop_timer timer;
	int fd;
	int other_fd;
	int calls;
	int stop_after;
	short revents;
};

static void
on_readable(void *data, short revents)
{
	struct counted *counted = data;
	char byte;

	counted->revents |= revents;
	if (revents & POLLIN)
		assert_int_equal(read(counted->fd, &byte, 1), 1);
	if (counted->other_fd >= 0)
		loop_unwatch(counted->loop, counted->other_fd);
	if (++counted->calls == counted->stop_after)
		loop_stop(counted->loop);
}

static void
on_timer(void *data)
{
	struct counted *counted = data;

	if (++counted->calls == counted->stop_after)
		loop_stop(counted->loop);
	else
		loop_timer_set(counted->loop, &counted->timer, 1, on_timer, counted);
}

static void
stop_loop(void *data)
{
	loop_stop(data);
}

static void
test_readable_descriptor_is_told_each_time(void **state)
{
	struct counted counted = { .loop = loop_new(), .other_fd = -1, .stop_after = 3 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	counted.fd = ends[0];
	assert_int_equal(write(ends[1], "abc", 3), 3);
	loop_watch(counted.loop, ends[0], POLLIN, on_readable, &counted);
	assert_int_equal(loop_run(counted.loop), 0);
	assert_int_equal(counted.calls, 3);
	close(ends[1]);
	counted.stop_after = 4;
	assert_int_equal(loop_run(counted.loop), 0);
	assert_true(counted.revents & POLLHUP);
	loop_free(counted.loop);
	close(ends[0]);
}

static void
test_descriptor_unwatched_in_a_callback_is_not_told(void **state)
{
	struct loop *loop = loop_new();
	struct counted first = { .loop = loop };
	struct counted second = { .loop = loop };
	struct loop_timer timer = { 0 };
	int a[2];
	int b[2];

	(void)state;
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	first.fd = second.other_fd = a[0];
	second.fd = first.other_fd = b[0];
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(write(b[1], "x", 1), 1);
	loop_watch(loop, a[0], POLLIN, on_readable, &first);
	loop_watch(loop, b[0], POLLIN, on_readable, &second);
	loop_timer_set(loop, &timer, 20, stop_loop, loop);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(first.calls + second.calls, 1);
	loop_free(loop);
}

static void
test_watching_again_changes_the_watch(void **state)
{
	struct counted counted = { .loop = loop_new(), .other_fd = -1, .stop_after = 1 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	counted.fd = ends[0];
	loop_watch(counted.loop, ends[0], 0, on_readable, NULL);
	loop_watch(counted.loop, ends[0], POLLIN, on_readable, &counted);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(loop_run(counted.loop), 0);
	assert_int_equal(counted.calls, 1);
	loop_free(counted.loop);
}

static void
test_many_watches(void **state)
{
	struct counted counted[100];
	struct loop *loop = loop_new();
	int ends[100][2];

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(pipe(ends[i]), 0);
		counted[i] = (struct counted){
			.loop = loop, .fd = ends[i][0], .other_fd = -1, .stop_after = 1
		};
		loop_watch(loop, ends[i][0], POLLIN, on_readable, &counted[i]);
	}
	for (int i = 0; i < 99; i++) {
		if (i % 3 == 0)
			loop_unwatch(loop, ends[i][0]);
	}
	assert_int_equal(write(ends[98][1], "x", 1), 1);
	assert_int_equal(loop_run(loop), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(counted[i].calls, i == 98);
		close(ends[i][0]);
		close(ends[i][1]);
	}
	loop_free(loop);
}

static void
test_timer_sets_itself_again(void **state)
{
	struct counted counted = { .loop = loop_new(), .stop_after = 5 };
	uint64_t start = loop_now_ns();

	(void)state;
	loop_timer_set(counted.loop, &counted.timer, 1, on_timer, &counted);
	assert_int_equal(loop_run(counted.loop), 0);
	assert_int_equal(counted.calls, 5);
	assert_true(loop_now_ns() - start >= 5000000);
	assert_true(counted.timer.due_ns == 0);
	loop_free(counted.loop);
}

static void
test_cancelled_timer_does_not_fire(void **state)
{
	struct counted counted = { .loop = loop_new() };
	struct loop_timer last = { 0 };

	(void)state;
	loop_timer_set(counted.loop, &counted.timer, 1, on_timer, &counted);
	loop_timer_set(counted.loop, &last, 10, stop_loop, counted.loop);
	loop_timer_cancel(counted.loop, &counted.timer);
	loop_timer_cancel(counted.loop, &counted.timer);
	assert_int_equal(loop_run(counted.loop), 0);
	assert_int_equal(counted.calls, 0);
	loop_free(counted.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readable_descriptor_is_told_each_time),
		cmocka_unit_test(test_descriptor_unwatched_in_a_callback_is_not_told),
		cmocka_unit_test(test_watching_again_changes_the_watch),
		cmocka_unit_test(test_many_watches),
		cmocka_unit_test(test_timer_sets_itself_again),
		cmocka_unit_test(test_cancelled_timer_does_not_fire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
