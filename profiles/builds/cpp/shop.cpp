// A shop of small allocations, each in its own line and of its own size, all of them kept.
// `//@ name` marks the line that the table of true pairs knows by this name.
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

static void *volatile held;
template <class T> static void keep(T *p) { held = (void *)p; }

namespace parse {
static void field(int n) {
    keep(malloc(1003 + n)); //@ field-malloc
    keep(strdup(std::string(1018, 'a').c_str())); //@ field-strdup
}
void header(int n) {
    auto *v = new std::vector<char>(); //@ header-new-vector
    v->reserve(1031 + n); //@ header-reserve
    keep(v);
    field(n);
}
void header(const char *text) {
    keep(new char[1049 + (text[0] == 'x')]); //@ header-text
}
} // namespace parse

namespace query {
static void field(int n) {
    keep(malloc(1061 + n)); //@ query-field
}
void plan(int depth, int n) {
    if (depth == 0) {
        keep(calloc(1, 1087 + n)); //@ plan-leaf
        return;
    }
    keep(malloc(1090 + depth + n)); //@ plan-step
    plan(depth - 1, n);
    held = nullptr;
}
void run(int n) {
    field(n);
    plan(2, n);
}
} // namespace query

struct Sink {
    virtual void emit(int n) = 0;
    virtual ~Sink() = default;
};
struct File : Sink {
    void emit(int n) override {
        keep(malloc(1163 + n)); //@ file-emit
    }
};
struct Net : Sink {
    char *room;
    explicit Net(int n) : room(new char[1181 + n]) {} //@ net-room
    void emit(int n) override {
        keep(new char[1187 + n]); //@ net-emit
        keep(realloc(nullptr, 1193 + n)); //@ net-realloc
    }
};

template <class T, int N> static void store() {
    keep(new T[N]); //@ store
}

__attribute__((noinline)) static void transforms(int n) {
    auto twice = [n](int k) {
        keep(malloc(1229 + k + n)); //@ transforms-twice
    };
    auto thrice = [](int k) {
        keep(new char[1249 + k]); //@ transforms-thrice
    };
    twice(0);
    thrice(0);
    std::function<void()> later = [n]() { keep(malloc(1277 + n)); }; //@ transforms-later
    later();
}

static void cache(int n) {
    keep(malloc(1301 + n)); //@ cache-first
    keep(malloc(1303 + n)); //@ cache-second
    keep(malloc(1307 + n)); //@ cache-third
}

static void *helper(int n) {
    return malloc(n); //@ helper
}
void caller_one(int n) {
    keep(helper(1319 + n)); //@ via caller-one
}
void caller_two(int n) {
    keep(helper(1321 + n)); //@ via caller-two
    keep(helper(1327 + n)); //@ via caller-two-again
}

void encode(int n) {
    auto *text = new std::string(1361 + n, 'b'); //@ encode-string
    keep(text);
    auto shared = std::make_shared<std::vector<char>>(1367 + n); //@ encode-shared
    keep(new std::shared_ptr<std::vector<char>>(shared)); //@ encode-holder
    keep(std::make_unique<char[]>(1373 + n).release()); //@ encode-unique
}

void session(int n) {
    auto *queue = new std::deque<int>(); //@ session-deque
    for (int i = 0; i < 200; i++) queue->push_back(i + n); //@ session-push
    keep(queue);
    auto *words = new std::vector<std::string>(); //@ session-words
    words->push_back(std::string(1409 + n, 'c')); //@ session-word
    keep(words);
}

void run(int n) {
    parse::header(n);
    parse::header("text");
    query::run(n);
    File file;
    Net net(n);
    Sink *sinks[] = {&file, &net};
    for (Sink *sink : sinks) sink->emit(n);
    store<char, 1213>();
    store<int, 305>();
    transforms(n);
    cache(n);
    caller_one(n);
    caller_two(n);
    encode(n);
    session(n);
}

int main(int argc, char **) {
    run(argc - 1);
    return 0;
}
