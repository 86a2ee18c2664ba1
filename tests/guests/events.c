/* Emits a log event without end. */
#include <stdint.h>
#include <string.h>

__attribute__((import_module("porta"), import_name("emit"))) int32_t
host_emit(const char *request, uint32_t length, char *response, uint32_t capacity);

int
main(void)
{
	static const char event[] = "{\"type\":\"log\",\"level\":\"info\",\"data\":\"again and again\"}";
	char response[16];

	while (host_emit(event, (uint32_t)strlen(event), response, sizeof(response)) >= 0)
		continue;
	return 1;
}
