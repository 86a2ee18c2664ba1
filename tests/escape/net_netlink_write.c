/*
 * Route netlink as root: an address is added.
 *
 * users: root
 */
#include "attack.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static int
attack(void)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg address;
		struct rtattr attribute;
		struct in_addr local;
	} request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_NEWADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.address = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1 },
		.attribute = { .rta_len = sizeof(struct rtattr) + 4, .rta_type = IFA_LOCAL },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	inet_pton(AF_INET, "203.0.113.77", &request.local);
	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0)
		return held("send");
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer))
		return held("recv");
	errno = -answer.error.error;
	return errno == 0 ? escaped("added an address") : held("RTM_NEWADDR");
}
