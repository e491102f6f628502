/*
 * The event loop: one thread, everything by poll().
 *
 *     DESTINATION=PORT forwarder POSTS [cured] [cure-encoder] [cure-buffers] [cure-errors]
 *
 * Prints its port, takes that many posts, and exits when the destination has acknowledged all of
 * them. Clients are still connected then, nothing is freed: what is alive is what it keeps.
 */
#include "forwarder.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNS_MOST = 64 };

struct cures cured;
static struct conn *conns[CONNS_MOST];

void *must(void *block)
{
    if (!block) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return block;
}

long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64))
        fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static int connect_destination(void)
{
    const char *port = getenv("DESTINATION");
    struct sockaddr_in address = loopback(port ? atoi(port) : 0);
    int destination = socket(AF_INET, SOCK_STREAM, 0);
    if (destination < 0 || connect(destination, (struct sockaddr *)&address, sizeof address))
        fail("DESTINATION");
    return destination;
}

static void accept_all(int listener)
{
    int socket;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int slot = 0;
        while (slot < CONNS_MOST && conns[slot])
            slot++;
        if (slot < CONNS_MOST)
            conns[slot] = conn_open(socket);
        else
            close(socket);
    }
}

/* What has arrived goes to the protocol that the first bytes chose. */
static void conn_ready(struct conn *conn)
{
    bool open = conn_read(conn);
    if (conn->protocol == UNKNOWN && conn->length >= HTTP2_PREFACE_LENGTH)
        conn->protocol =
            memcmp(conn->buffer, HTTP2_PREFACE, HTTP2_PREFACE_LENGTH) == 0 ? HTTP2 : HTTP1;
    if (conn->protocol == HTTP1)
        http_input(conn);
    else if (conn->protocol == HTTP2)
        http2_input(conn);
    if (!open) {
        if (conn->request)
            http_abort(conn);
        conn->closing = true;
    }
}

static void serve(int listener, unsigned posts)
{
    while (accepted < posts || !out_idle()) {
        struct pollfd polled[CONNS_MOST + 2] = {
            {.fd = listener, .events = POLLIN},
            {.fd = out_socket(), .events = POLLIN | (out_has_unsent() ? POLLOUT : 0)},
        };
        bool waiting = false;
        for (int i = 0; i < CONNS_MOST; i++) {
            polled[i + 2] = (struct pollfd){.fd = conns[i] ? conns[i]->socket : -1, .events = POLLIN};
            waiting |= conns[i] && conns[i]->length;
        }
        poll(polled, CONNS_MOST + 2, waiting ? READ_TIMEOUT / 10 : -1);

        out_answers();  /* before any post: what was acknowledged before it was sent is gone */
        for (int i = 0; i < CONNS_MOST; i++) {
            struct conn *conn = conns[i];
            if (!conn)
                continue;
            if (polled[i + 2].revents)
                conn_ready(conn);
            else if (conn->length && now() - conn->last_byte > READ_TIMEOUT)
                conn_expire(conn);
            if (conn->closing) {
                conns[i] = NULL;
                conn_close(conn);
            }
        }
        out_flush();
        accept_all(listener);
    }
}

int main(int argc, char **argv)
{
    unsigned posts = argc > 1 ? strtoul(argv[1], NULL, 10) : 50;
    for (int i = 2; i < argc; i++) {
        bool both = !strcmp(argv[i], "cured");
        cured.encoder |= both || !strcmp(argv[i], "cure-encoder");
        cured.buffers |= both || !strcmp(argv[i], "cure-buffers");
        cured.errors |= !strcmp(argv[i], "cure-errors");
    }
    out_open(connect_destination());
    serve(listen_somewhere(), posts);
    return 0;
}
