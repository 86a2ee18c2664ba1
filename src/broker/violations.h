/*
 * What the policy refused: each thing once, with how often, and the flag that
 * would allow it. Recorded by the door, the resolver and the guard; told at the end.
 */
#ifndef PORTA_BROKER_VIOLATIONS_H
#define PORTA_BROKER_VIOLATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* Beyond this many different ones, the rest are counted together: the sandbox chooses the subjects. */
#define VIOLATIONS_MAX 1000
#define VIOLATION_TEXT_MAX_BYTES 512

enum violation_kind {
	VIOLATION_CONNECT,   /* subject "203.0.113.5:443" or "api.example.com:443" */
	VIOLATION_LISTEN,    /* "0.0.0.0:8080" */
	VIOLATION_NAME,	     /* a DNS name: "telemetry.example.net" */
	VIOLATION_DATAGRAM,  /* UDP, raw: "203.0.113.5:53/udp" */
	VIOLATION_UNIX,	     /* "/run/docker.sock" */
	VIOLATION_PROTECTED, /* ".git/hooks/post-commit" */
	VIOLATION_MODE,	     /* a setuid or setgid bit */
	VIOLATION_KIND_COUNT,
};

struct violation {
	enum violation_kind kind;
	char *subject;
	char *remedy; /* the flag that would allow it, ready to type: "--allow-net api.example.com:443"; "" if none */
	char *note;   /* one sentence more, or "" */
	uint64_t count;
	uint64_t first_ms; /* wall clock, since the epoch */
	uint64_t last_ms;
};

struct violations;

struct violations *violations_new(void);
void violations_free(struct violations *violations);
/* Texts are copied, cut at VIOLATION_TEXT_MAX_BYTES; they may hold any byte of the sandbox's. `note` may be NULL. */
void violations_record(struct violations *violations, enum violation_kind kind, const char *subject,
		       const char *remedy, const char *note);
/* A line for the footer that is no violation ("listened on 127.0.0.1 instead of 0.0.0.0"); each text once. */
void violations_remark(struct violations *violations, const char *text);
size_t violations_count(const struct violations *violations);
/* The footer for stderr, control bytes made visible; nothing if nothing was refused or remarked. */
void violations_print(const struct violations *violations, int fd);
/* JSON lines to a descriptor; 0 or a negative errno. */
int violations_write_report(const struct violations *violations, int fd);
const char *violation_kind_name(enum violation_kind kind);

#endif
