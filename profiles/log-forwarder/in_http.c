/* Posts by HTTP/1.1, and what both protocols do with the lines of a post. */
#include "forwarder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned accepted;

struct request *request_new(void)
{
    return must(calloc(1, sizeof(struct request)));
}

/* ---- lines to events ---- */

/* Error path: the copy of the line that a complaint shows is never freed. */
static void pack_complain(const char *line, size_t length)
{
    struct complaint {
        size_t length;
        char start[120];
    } *complaint = must(malloc(sizeof *complaint));
    complaint->length = length;
    size_t shown = length < sizeof complaint->start ? length : sizeof complaint->start;
    memcpy(complaint->start, line, shown);
    if (cured.errors)
        free(complaint);
}

static bool pack_string(const char **at, const char *end)
{
    const char *start = *at + 1;
    const char *quote = *at < end && **at == '"' ? memchr(start, '"', end - start) : NULL;
    if (!quote || memchr(start, '\\', quote - start))
        return false;
    *at = quote + 1;
    return encoder_string(start, quote - start);
}

static bool pack_number(const char **at, const char *end)
{
    uint64_t number = 0;
    const char *start = *at;
    while (*at < end && **at >= '0' && **at <= '9')
        number = number * 10 + (*(*at)++ - '0');
    return *at > start && encoder_number(number);
}

/* One line, a flat object of strings and numbers; false if it is anything else. */
static bool pack_event(const char *at, const char *end)
{
    unsigned pairs = 0;
    char mark = at < end ? *at++ : 0;
    if (mark != '{')
        return false;
    encoder_begin();
    do {
        if (!pack_string(&at, end) || at == end || *at++ != ':')
            return false;
        if (at < end && *at == '"' ? !pack_string(&at, end) : !pack_number(&at, end))
            return false;
        pairs++;
        mark = at < end ? *at++ : 0;
    } while (mark == ',' && pairs < 15);
    if (mark != '}' || at != end)
        return false;
    encoder_commit(pairs);
    return true;
}

size_t process_pack(const uint8_t *lines, size_t length)
{
    const char *at = (const char *)lines, *end = at + length;
    size_t events = 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', end - at);
        if (!stop)
            stop = end;
        if (pack_event(at, stop))
            events++;
        else
            pack_complain(at, stop - at);
        at = stop + 1;
    }
    return events;
}

/* ---- HTTP/1.1 ---- */

static void http_answer(struct conn *conn, const char *status)
{
    char answer[128];
    int length = snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
    conn_send(conn, answer, length);
}

/* Error path: the answer is built on the heap, sent, and never freed. */
static void http_refuse(struct conn *conn, size_t announced)
{
    enum { ANSWER = 1024 };
    char *answer = must(malloc(ANSWER));
    int length = snprintf(answer, ANSWER,
                          "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n"
                          "X-Announced: %zu\r\nX-Limit: %d\r\n\r\n",
                          announced, POST_MOST);
    conn_send(conn, answer, length);
    if (cured.errors)
        free(answer);
}

/* Error path: a length that is no number returns before the copy of the value is freed. */
static bool http_content_length(const char *value, size_t *length)
{
    enum { VALUE = 96 };
    char *copy = must(malloc(VALUE)), *rest;
    snprintf(copy, VALUE, "%s", value);
    *length = strtoull(copy, &rest, 10);
    if (rest == copy || *rest) {
        if (cured.errors)
            free(copy);
        return false;
    }
    free(copy);
    return true;
}

/* Error path: a header without a colon returns before the copy of the line is freed. */
static bool http_header(struct request *request, const char *line, size_t length)
{
    enum { HEADER = 256 };
    char *copy = must(malloc(HEADER));
    snprintf(copy, HEADER, "%.*s", (int)length, line);
    char *value = strstr(copy, ": ");
    if (!value) {
        if (cured.errors)
            free(copy);
        return false;
    }
    *value = 0;
    value += 2;
    bool good = true;
    if (!strcmp(copy, "Content-Length"))
        good = http_content_length(value, &request->body_length);
    else if (!strcmp(copy, "X-Tag"))
        snprintf(request->tag, sizeof request->tag, "%s", value);
    free(copy);
    return good;
}

static bool http_head(struct request *request, const char *at, const char *end)
{
    const char *stop = memmem(at, end - at, "\r\n", 2);
    snprintf(request->path, sizeof request->path, "%.*s", (int)(stop - at), at);
    for (at = stop + 2; at < end; at = stop + 2) {
        stop = memmem(at, end - at, "\r\n", 2);
        if (!http_header(request, at, stop - at))
            return false;
    }
    return true;
}

static void process_payload(struct conn *conn, const uint8_t *body)
{
    struct ticket *ticket = out_reserve(conn->request->tag);
    if (!ticket) {
        http_answer(conn, "503 Service Unavailable");
        return;
    }
    process_pack(body, conn->request->body_length);
    out_enqueue(ticket);
    encoder_reset();
    accepted++;
    http_answer(conn, "201 Created");
}

void http_input(struct conn *conn)
{
    uint8_t *blank = memmem(conn->buffer, conn->length, "\r\n\r\n", 4);
    if (!blank)
        return;
    uint8_t *body = blank + 4;
    if (!conn->request) {
        conn->request = request_new();
        bool good = http_head(conn->request, (char *)conn->buffer, (char *)blank + 2);
        if (!good)
            http_answer(conn, "400 Bad Request");
        else if (conn->request->body_length > POST_MOST)
            http_refuse(conn, conn->request->body_length);
        if (!good || conn->request->body_length > POST_MOST) {
            conn_settle(conn);
            conn->closing = true;
            return;
        }
    }
    if (conn->length - (body - conn->buffer) >= conn->request->body_length) {
        process_payload(conn, body);
        conn_settle(conn);
    }
}

/* Error path: the request is forgotten, not freed. */
void http_abort(struct conn *conn)
{
    if (cured.errors)
        free(conn->request);
    conn->request = NULL;
}
