//! C and C++: allocators, the C and C++ libraries, other objects and the program.

use super::Facts;
use crate::normalize::{FrameClass, Language};

/// Functions of the C library that hand out memory, and of allocators that replace it.
#[rustfmt::skip]
const ALLOCATORS: [&str; 45] = [
    "malloc", "calloc", "realloc", "free", "memalign", "posix_memalign", "aligned_alloc",
    "valloc", "pvalloc", "reallocarray", "recallocarray", "strdup", "strndup", "wcsdup", "cfree",
    "malloc_zone_malloc", "malloc_zone_calloc", "malloc_zone_realloc", "malloc_default",
    "aligned_malloc", "_aligned_malloc", "HeapAlloc", "RtlAllocateHeap", "mmap", "mremap", "brk",
    "sbrk", "morecore", "sysmalloc", "_int_malloc", "_int_realloc", "_int_memalign",
    "malloc_usable_size", "tcache_init", "ptmalloc_init", "mallocx", "rallocx", "xallocx", "sdallocx",
    "malloc_hook_ini", "alloca", "_Znwm", "_Znam", "__builtin_new", "__builtin_vec_new",
];

/// Wrappers of allocators that [`is_wrapper`] does not know by their form.
#[rustfmt::skip]
const WRAPPERS: [&str; 6] = [
    "xalloc", "xallocarray", "g_slice_alloc", "g_slice_alloc0", "ckalloc", "attemptckalloc",
];

/// What the name of a wrapper of `malloc` ends with, in lower case.
#[rustfmt::skip]
const WRAPPED: [&str; 11] = [
    "malloc", "mallocz", "calloc", "realloc", "reallocf", "zalloc", "memalign", "strdup",
    "strndup", "memdup", "wcsdup",
];

/// What programs put behind that: how it fails, what it fills, how it counts.
#[rustfmt::skip]
const WRAPPED_SUFFIXES: [&str; 27] = [
    "_", "0", "2", "n", "64", "array", "zero", "raw", "rawnn", "internal", "usable", "impl",
    "aligned", "checked", "unchecked", "safe", "or_die", "or_fail", "or_null", "nothrow", "fast",
    "slow", "dbg", "debug", "loc", "flags", "size",
];

/// Prefixes of symbols of allocators, profilers and sanitizers.
#[rustfmt::skip]
const ALLOCATOR_PREFIXES: [&str; 36] = [
    "__libc_malloc", "__libc_calloc", "__libc_realloc", "__libc_memalign", "__interceptor_",
    "__wrap_malloc", "__wrap_calloc", "__wrap_realloc", "__real_malloc", "__GI___libc_malloc",
    "__GI_malloc", "__sanitizer_", "je_", "tc_malloc", "tc_new", "tc_calloc",
    "tc_realloc", "mi_malloc", "mi_heap_malloc", "mi_zalloc", "mi_calloc", "heaptrack_", "_rjem", "prof_backtrace", "prof_alloc_prep", "prof_sample", "imalloc", "irallocx",
    "do_rallocx", "do_mallocx", "tcmalloc::", "scudo::", "__asan::", "__lsan::", "partition_alloc::",
    "_PyMem_",
];

/// Objects whose every function serves allocation or its recording.
#[rustfmt::skip]
const ALLOCATOR_OBJECTS: [&str; 12] = [
    "vgpreload_", "libheaptrack_", "libasan.", "liblsan.", "libclang_rt.", "libtcmalloc",
    "libjemalloc", "libmimalloc", "libmemusage", "libbytehound", "_memray.", "libdmalloc",
];

/// Objects of the C, C++ and compiler run-time libraries.
#[rustfmt::skip]
const RUNTIME_OBJECTS: [&str; 24] = [
    "libc.", "libc-", "libm.", "libm-", "libpthread", "libdl.", "libdl-", "librt.", "librt-",
    "ld-linux", "ld-musl", "ld-2.", "ld.so", "libstdc++", "libc++", "libgcc_s", "libgomp",
    "libunwind", "libsystem_", "libdyld", "dyld", "linux-vdso", "vdso", "libobjc",
];

/// Functions of the C library that allocate for their caller.
#[rustfmt::skip]
const LIBC: [&str; 86] = [
    "fopen", "fopen64", "fdopen", "freopen", "popen", "_IO_doallocbuf", "_IO_file_doallocate",
    "getdelim", "getline", "asprintf", "vasprintf", "printf", "fprintf", "vfprintf", "vprintf",
    "snprintf", "vsnprintf", "sprintf", "puts", "fputs", "fputc", "putc", "putchar", "fwrite",
    "fread", "fgets", "fgetc", "getc", "fflush", "fclose", "perror", "scanf", "fscanf", "sscanf",
    "opendir", "fdopendir", "scandir", "realpath", "getcwd", "setlocale", "newlocale", "qsort",
    "qsort_r", "regcomp", "regexec", "glob", "getaddrinfo", "gethostbyname", "getpwnam",
    "getpwuid", "getgrnam", "getgrgid", "tzset", "tzset_internal", "localtime", "localtime_r",
    "mktime", "strftime", "dlopen", "dlsym", "setenv", "putenv", "unsetenv", "open_memstream",
    "fmemopen", "pthread_create", "pthread_once", "pthread_getattr_np", "pthread_setspecific",
    "tsearch", "hcreate", "syslog", "openlog", "textdomain", "bindtextdomain", "gettext",
    "dcgettext", "iconv_open", "iconv", "atexit", "on_exit", "allocate_stack", "allocate_dtv",
    "init_cacheinfo", "outstring_func", "calloc_like",
];

/// Where the C library's own sources lie, as far as no program has such a path.
#[rustfmt::skip]
const LIBC_SOURCES: [&str; 13] = [
    "/nptl/", "/sysdeps/", "/csu/", "/libio/", "/stdio-common/", "/elf/dl-", "/elf/rtld",
    "/malloc/malloc.c", "/malloc/arena.c", "/malloc/hooks.c", "/glibc-", "/eglibc-", "/musl-",
];

/// Base names of the C library's sources that its functions of other names lie in.
#[rustfmt::skip]
const LIBC_FILES: [&str; 12] = [
    "iofopen.c", "genops.c", "fileops.c", "filedoalloc.c", "iogetdelim.c", "pthread_create.c",
    "allocatestack.c", "rtld.c", "rtld-malloc.h", "vfprintf-internal.c", "vfprintf-process-arg.c",
    "cxa_atexit.c",
];

/// Standard headers have no extension.
#[rustfmt::skip]
const EXTENSIONLESS: [&str; 50] = [
    "algorithm", "any", "array", "atomic", "barrier", "bitset", "charconv", "chrono",
    "condition_variable", "coroutine", "deque", "exception", "execution", "expected", "filesystem",
    "format", "forward_list", "fstream", "functional", "future", "initializer_list", "iomanip", "ios",
    "iostream", "istream", "iterator", "latch", "list", "map", "memory", "memory_resource", "mutex",
    "new", "numeric", "optional", "ostream", "queue", "random", "ranges", "regex", "set",
    "shared_mutex", "span", "sstream", "stack", "streambuf", "string", "string_view", "thread",
    "vector",
];

/// Headers of the C++ library that have an ordinary file name.
#[rustfmt::skip]
const STD_HEADERS: [&str; 70] = [
    "new_allocator.h", "alloc_traits.h", "allocator.h", "allocated_ptr.h", "invoke.h",
    "functional_hash.h", "std_function.h", "std_thread.h", "std_mutex.h", "std_abs.h",
    "unique_ptr.h", "unique_lock.h", "basic_string.h", "basic_string.tcc", "char_traits.h",
    "cow_string.h", "vector.tcc", "deque.tcc", "list.tcc", "forward_list.h", "forward_list.tcc",
    "string_view.tcc", "unordered_map.h", "unordered_set.h", "hashtable.h", "hashtable_policy.h",
    "move.h", "ptr_traits.h", "refwrap.h", "range_access.h", "ranges_algo.h", "ranges_base.h",
    "ranges_util.h", "ranges_uninitialized.h", "streambuf.tcc", "streambuf_iterator.h",
    "ostream.tcc", "ostream_insert.h", "istream.tcc", "sstream.tcc", "fstream.tcc", "basic_ios.h",
    "basic_ios.tcc", "basic_file.h", "ios_base.h", "locale_facets.h", "locale_facets.tcc",
    "locale_facets_nonio.tcc", "localefwd.h", "codecvt.h", "regex.h", "regex.tcc",
    "regex_compiler.h", "regex_compiler.tcc", "regex_automaton.h", "regex_automaton.tcc",
    "regex_executor.h", "regex_executor.tcc", "regex_scanner.tcc", "predefined_ops.h",
    "uses_allocator.h", "uses_allocator_args.h", "enable_special_members.h", "node_handle.h",
    "erase_if.h", "gthr-default.h", "atomic_base.h", "fs_path.h", "fs_dir.h", "aligned_buffer.h",
];

/// Namespaces of libraries that programs are commonly built with; their headers are compiled into
/// the program, so neither object nor file tells them apart.
#[rustfmt::skip]
const LIBRARY_NAMESPACES: [&str; 22] = [
    "boost::", "absl::", "folly::", "nlohmann::", "google::protobuf::", "grpc::", "grpc_core::",
    "Eigen::", "rapidjson::", "fmt::", "spdlog::", "tbb::", "oneapi::", "testing::",
    "benchmark::", "rocksdb::", "leveldb::", "simdjson::", "YAML::", "cv::", "QtPrivate::",
    "re2::",
];

/// Directories that hold other people's sources or objects.
#[rustfmt::skip]
const LIBRARY_DIRECTORIES: [&str; 14] = [
    "/_deps/", "/third_party/", "/third-party/", "/thirdparty/", "/3rdparty/", "/3rd_party/",
    "/external/", "/vendor/", "/vcpkg", "/.conan", "/conan/", "/site-packages/",
    "/dist-packages/", "/node_modules/",
];

/// The class of a C or C++ frame, or of one whose language is unknown.
pub(super) fn classify(facts: &Facts<'_>, capture: Language) -> FrameClass {
    let sym = facts.names.sym.as_str();
    let object = facts.object();
    let wrapper = || is_wrapper(sym) || is_of_allocator_file(sym, facts.base());
    if starts_with_any(object, &ALLOCATOR_OBJECTS) || is_allocator(sym) || wrapper() {
        return FrameClass::Allocator;
    }
    if facts.hole && !facts.has_file() && facts.module.is_empty() {
        // An address alone: nobody can act on it, and it differs from run to run.
        return FrameClass::Glue;
    }
    if is_process_start(sym, facts.base()) || is_runtime(facts, capture) {
        return FrameClass::Glue;
    }
    if is_library(facts) {
        FrameClass::ThirdParty
    } else {
        FrameClass::User
    }
}

/// Whether a global function allocates or records allocations.
pub(super) fn is_allocator(sym: &str) -> bool {
    if let Some(rest) = sym.strip_prefix("operator ") {
        return matches!(rest, "new" | "new[]" | "delete" | "delete[]");
    }
    ALLOCATORS.contains(&sym)
        || WRAPPERS.contains(&sym)
        || starts_with_any(sym, &ALLOCATOR_PREFIXES)
}

/// Whether a function is one that programs put around `malloc`, to check its result or to count:
/// it says as little about who keeps the memory as `malloc` does. Known by its name, which is that
/// of the function it wraps behind a prefix: `xmalloc`, `ngx_calloc`, `mosquitto__strdup`,
/// `luaM_realloc_`, `sqlite3DbMallocRawNN`.
fn is_wrapper(sym: &str) -> bool {
    if sym.contains("::") || sym.contains(' ') {
        return false;
    }
    let lower = sym.to_ascii_lowercase();
    let mut name = lower.as_str();
    // As many suffixes as anyone piles up.
    for _ in 0..8 {
        if WRAPPED.iter().any(|wrapped| name.ends_with(wrapped)) {
            return true;
        }
        let shorter = WRAPPED_SUFFIXES
            .iter()
            .filter_map(|suffix| name.strip_suffix(suffix))
            .min_by_key(|rest| rest.len());
        match shorter {
            Some(rest) => name = rest,
            None => return false,
        }
    }
    false
}

/// `ngx_alloc` of `ngx_alloc.c`, `jv_mem_alloc` of `jv_alloc.c`: a function that allocates, of a
/// source file about nothing else.
fn is_of_allocator_file(sym: &str, base: &str) -> bool {
    let Some((stem, extension)) = base.rsplit_once('.') else {
        return false;
    };
    if !matches!(extension, "c" | "h") || !sym.trim_end_matches('_').ends_with("alloc") {
        return false;
    }
    let stem = stem.to_ascii_lowercase();
    stem.ends_with("alloc")
        || stem
            .split(['_', '-'])
            .any(|word| matches!(word, "mem" | "memory"))
}

fn starts_with_any(text: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
}

/// The program's own entry and those of threads, where a complete stack may end.
pub(super) fn is_entry(sym: &str) -> bool {
    matches!(sym, "main" | "WinMain" | "wmain" | "wWinMain" | "DllMain")
}

/// What the system runs before `main` and around a thread's function.
pub(super) fn is_process_start(sym: &str, file: &str) -> bool {
    match sym {
        "_start"
        | "(below main)"
        | "start_thread"
        | "clone3"
        | "__clone"
        | "__clone3"
        | "thread_start"
        | "_pthread_start"
        | "execute_native_thread_routine"
        | "__scrt_common_main_seh"
        | "mainCRTStartup"
        | "BaseThreadInitThunk"
        | "RtlUserThreadStart"
        | "_dl_start_user"
        | "__libc_csu_init"
        | "_dl_init"
        | "_dl_start" => true,
        // A program may well have functions of these names.
        "clone" => file.is_empty() || file == "clone.S",
        "call_init" => file.is_empty() || matches!(file, "dl-init.c" | "libc-start.c"),
        _ => {
            sym.starts_with("__libc_start_")
                || matches!(
                    file,
                    "libc-start.c" | "libc_start_call_main.h" | "start.S" | "clone3.S"
                )
        }
    }
}

fn is_runtime(facts: &Facts<'_>, capture: Language) -> bool {
    let (sym, base) = (facts.names.sym.as_str(), facts.base());
    if starts_with_any(facts.object(), &RUNTIME_OBJECTS) {
        return true;
    }
    if facts.function.ends_with("_[k]") {
        return true;
    }
    if starts_with_any(
        sym,
        &["std::", "__gnu_cxx::", "__cxxabiv1::", "__gnu_internal::"],
    ) {
        return !is_user_specialisation(sym, base);
    }
    let bare = !sym.contains("::");
    if is_std_header(facts.file, base) {
        return true;
    }
    // `__vasprintf_internal` and `__snprintf_chk` are what debug information calls them.
    let inner = sym.strip_prefix("__").unwrap_or(sym);
    let inner = inner.strip_suffix("_internal").unwrap_or(inner);
    let inner = inner.strip_suffix("_chk").unwrap_or(inner);
    if bare && (LIBC.contains(&inner) || is_reserved(sym)) {
        return true;
    }
    if bare
        && facts.has_file()
        && (LIBC_SOURCES
            .iter()
            .any(|directory| in_directory(facts.file, directory))
            || LIBC_FILES.contains(&base)
            || base.starts_with("dl-") && base.ends_with(".c"))
    {
        return true;
    }
    // The interpreter below a program in Python.
    capture == Language::Python
        && bare
        && (starts_with_any(
            sym,
            &["Py", "_Py", "pymain_", "pyrun_", "run_mod", "run_eval_code"],
        ) || facts.object().contains("python"))
}

fn in_directory(file: &str, directory: &str) -> bool {
    file.contains(directory) || file.starts_with(&directory[1..])
}

/// Names that C and C++ reserve for the implementation, as far as libraries use them.
fn is_reserved(sym: &str) -> bool {
    starts_with_any(
        sym,
        &[
            "_IO_",
            "_dl_",
            "__vfprintf",
            "__libc_",
            "__pthread_",
            "__nss_",
            "__gconv_",
            "__newlocale",
            "__new_exitfn",
            "__cxa_",
            "__gxx_",
            "_Unwind_",
            "__cxx_",
            "__gthread_",
            "__GI_",
            "__invoke",
            "__fopen_",
            "__opendir",
            "__getdelim",
            "__tz",
            "__printf",
            "__GLOBAL_",
            "_M_",
            "_S_",
        ],
    ) && !sym.starts_with("__GLOBAL__sub")
}

/// `bits/stl_vector.h`, `vector.tcc`, `functional`: the C++ library by path or by base name.
fn is_std_header(file: &str, base: &str) -> bool {
    if base.is_empty() {
        return false;
    }
    if ["/c++/", "/bits/", "/ext/", "/include/c++", "/libstdc++"]
        .iter()
        .any(|part| file.contains(part))
    {
        return true;
    }
    if base.starts_with("stl_") || base.starts_with("shared_ptr") || base.starts_with("hashtable") {
        return base.ends_with(".h");
    }
    STD_HEADERS.contains(&base) || EXTENSIONLESS.contains(&base)
}

/// A template of the standard library that users specialise, in a file of theirs.
fn is_user_specialisation(sym: &str, base: &str) -> bool {
    let open = [
        "std::hash::",
        "std::less::",
        "std::greater::",
        "std::equal_to::",
        "std::formatter::",
        "std::default_delete::",
        "std::swap",
        "std::tuple_element::",
    ];
    starts_with_any(sym, &open) && base.contains('.') && !is_std_header(base, base)
}

fn is_library(facts: &Facts<'_>) -> bool {
    let file = facts.file;
    if file.starts_with("/usr/include/")
        || file.starts_with("/usr/local/include/")
        || file.starts_with("/opt/")
    {
        return true;
    }
    if facts.has_file()
        && LIBRARY_DIRECTORIES
            .iter()
            .any(|directory| in_directory(file, directory))
    {
        return true;
    }
    if starts_with_any(&facts.names.sym, &LIBRARY_NAMESPACES) {
        return true;
    }
    is_library_object(facts.module)
}

/// A shared object of the system, or one that is known by its base name alone. An object in a
/// directory of the user's own is the user's.
fn is_library_object(module: &str) -> bool {
    let name = super::super::path::base_name(module);
    let shared = name.ends_with(".so")
        || name.contains(".so.")
        || name.ends_with(".dylib")
        || name.ends_with(".dll");
    if !shared {
        return false;
    }
    !module.contains('/')
        || starts_with_any(
            module,
            &[
                "/usr/",
                "/lib",
                "/opt/",
                "/nix/",
                "/snap/",
                "/System/",
                "/Library/",
                "C:/Windows",
            ],
        )
        || LIBRARY_DIRECTORIES
            .iter()
            .any(|directory| module.contains(directory))
}
