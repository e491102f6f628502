/* A shop of small allocations, each in its own line and of its own size, all of them kept.
   `//@ name` marks the line that the table of true pairs knows by this name. */
#include <stdlib.h>
#include <string.h>

static void *volatile held;
static void keep(void *p) { held = p; }

struct buffer {
    char *data;
    size_t room;
};

static void *grow(void *old, size_t n) {
    return realloc(old, n); //@ grow
}
static void *zeroed(size_t n) {
    return calloc(1, n); //@ zeroed
}

static void field(int n) {
    keep(malloc(1003 + n)); //@ field
}
static void header(int n) {
    keep(malloc(1019 + n)); //@ header
    field(n);
    keep(zeroed(1031 + n)); //@ via header
}
static void body(int n) {
    keep(malloc(1049 + n)); //@ body-first
    keep(malloc(1061 + n)); //@ body-second
    keep(grow(NULL, 1063 + n)); //@ via body
}
void parse(int n) {
    header(n);
    body(n);
}

static void row(int n, int k) {
    char *name = malloc(1087 + n); //@ row-name
    memset(name, 1, 10);
    keep(name);
    if (k) keep(malloc(1091 + n)); //@ row-value
}
void table(int n) {
    keep(malloc(1109 + n)); //@ table
    row(n, 1);
}
void walk(int depth, int n) {
    if (depth == 0) {
        keep(malloc(1123 + n)); //@ walk-leaf
        return;
    }
    keep(malloc(1150 + depth + n)); //@ walk-step
    walk(depth - 1, n);
    held = NULL;
}

static int by_file(int n) {
    keep(malloc(1163 + n)); //@ by-file
    return n;
}
static int by_net(int n) {
    keep(malloc(1181 + n)); //@ by-net
    keep(zeroed(1187 + n)); //@ via by-net
    return n + 1;
}
static int (*const sinks[])(int) = {by_file, by_net};

static void cache(int n) {
    keep(malloc(1201 + n)); //@ cache-first
    keep(malloc(1213 + n)); //@ cache-second
    keep(malloc(1217 + n)); //@ cache-third
    keep(malloc(1223 + n)); //@ cache-fourth
}

void encode(int n) {
    struct buffer *b = malloc(sizeof *b + 1229 + n); //@ encode-buffer
    b->data = grow(NULL, 1249 + n); //@ via encode
    b->room = 1;
    keep(b->data);
    keep(b);
}
void session(int n) {
    struct buffer *b = zeroed(1277 + n); //@ via session
    b->data = grow(NULL, 1279 + n); //@ via session-grow
    keep(b->data);
    keep(b);
    keep(aligned_alloc(64, 1280 + 0 * n)); //@ session-aligned
}

void run(int n) {
    parse(n);
    table(n);
    walk(2, n);
    for (int i = 0; i < 2; i++) sinks[i](n);
    cache(n);
    encode(n);
    session(n);
}

int main(int argc, char **argv) {
    (void)argv;
    run(argc - 1);
    return 0;
}
