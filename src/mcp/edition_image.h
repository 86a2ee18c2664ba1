/*
 * An agent that is loaded anew while it is served: a child process reads, compiles and asks it what it
 * offers, and the server gets the result as one image. The server itself neither hashes nor waits.
 */
#ifndef PORTA_MCP_EDITION_IMAGE_H
#define PORTA_MCP_EDITION_IMAGE_H

#include "mcp/edition.h"

/* In the child (child.h, SOCK_SEQPACKET): loads the agent, and sends its image or why there is none. `data`: settings. */
int edition_image_send(const void *data, int fd);
/*
 * What a child that has ended had to say. NULL and a sentence: nothing, or why the agent cannot be loaded. No worker
 * is there yet.
 */
struct edition *edition_image_receive(const struct edition_settings *settings, int fd,
				      struct error *err);

#endif
