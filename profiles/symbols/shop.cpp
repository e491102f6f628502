// A shop that forgets its receipts: shop RUNS keeps one receipt and three labels on every run.
//
// What allocates is inlined into its callers, so that one address stands for several functions.

#include <cstdlib>
#include <cstring>

namespace shop {

struct Receipt {
    Receipt *next;
    char *text;
};

static Receipt *receipts;

template <typename T> struct Shelf {
    T **items = nullptr;
    size_t used = 0, room = 0;

    __attribute__((always_inline)) inline T *grow(size_t bytes) {
        T *item = static_cast<T *>(malloc(bytes));
        memset(static_cast<void *>(item), 1, bytes);
        return item;
    }

    __attribute__((always_inline)) inline T *push(size_t bytes) {
        if (used == room) {
            room = room ? room * 2 : 8;
            items = static_cast<T **>(realloc(items, room * sizeof(T *)));
        }
        items[used] = grow(bytes);
        return items[used++];
    }
};

static Shelf<char> labels;

__attribute__((noinline)) void label(unsigned run) {
    for (unsigned i = 0; i < 3; i++)
        labels.push(40 + run % 2 * 8);
    asm volatile("");
}

static __attribute__((always_inline)) inline char *print(unsigned run) {
    char *text = static_cast<char *>(malloc(700));
    memset(text, 'a' + run % 26, 700);
    return text;
}

__attribute__((noinline)) void sell(unsigned run) {
    Receipt *receipt = static_cast<Receipt *>(malloc(sizeof(Receipt)));
    receipt->text = print(run);
    receipt->next = receipts;
    receipts = receipt;
    label(run);
    asm volatile("");
}

} // namespace shop

int main(int count, char **words) {
    unsigned runs = count > 1 ? atoi(words[1]) : 10;
    for (unsigned run = 0; run < runs; run++)
        shop::sell(run);
#ifdef LOSE
    shop::receipts = nullptr;
    shop::labels.items = nullptr;
#endif
    return 0;
}
