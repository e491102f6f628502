/* Connections: a socket and a buffer that holds one whole post. */
#include "forwarder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn *conn_open(int socket)
{
    struct conn *conn = must(calloc(1, sizeof *conn));
    conn->socket = socket;
    return conn;
}

void conn_close(struct conn *conn)
{
    free(conn->request);
    free(conn->buffer);
    close(conn->socket);
    free(conn);
}

static void conn_grow(struct conn *conn)
{
    conn->room += GROW_STEP;
    conn->buffer = must(realloc(conn->buffer, conn->room));
}

bool conn_read(struct conn *conn)
{
    for (;;) {
        if (conn->length == conn->room)
            conn_grow(conn);
        ssize_t got =
            recv(conn->socket, conn->buffer + conn->length, conn->room - conn->length, 0);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        conn->length += got;
        conn->last_byte = now();
    }
}

/* Answers are short, and a client reads them before it sends anything else. */
void conn_send(struct conn *conn, const void *bytes, size_t length)
{
    if (send(conn->socket, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        conn->closing = true;
}

/* Fault: without the cure, a connection keeps the room of its largest post for as long as the
   client keeps it open. */
void conn_settle(struct conn *conn)
{
    free(conn->request);
    conn->request = NULL;
    conn->length = conn->body = conn->parsed = 0;
    if (cured.buffers && conn->room > IDLE_ROOM) {
        conn->buffer = must(realloc(conn->buffer, IDLE_ROOM));
        conn->room = IDLE_ROOM;
    }
}

/* Error path: the note for the log is never freed. */
void conn_expire(struct conn *conn)
{
    enum { NOTE = 192 };
    char *note = must(malloc(NOTE));
    int length = snprintf(note, NOTE, "HTTP/1.1 408 Request Timeout\r\nX-Received: %zu\r\n\r\n",
                          conn->length);
    conn_send(conn, note, length);
    conn->closing = true;
    if (cured.errors)
        free(note);
}
