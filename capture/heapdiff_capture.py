"""Writes the objects of this CPython process, and what refers to what, to a file for heapdiff.

    import heapdiff_capture
    heapdiff_capture.dump("run-03.hdg.gz", run=3, items=3000)

One file, no dependencies, CPython 3.8 and later. Call dump() at the same point of each run, when
nothing is in flight: once as a warm-up, then after 10, 20 and 40 runs, say. Compare the files by
`heapdiff cycles run-*.hdg.gz`. The format is heapdiff-graph version 1, JSON lines.

What is written: type names, attribute and variable names, sizes, and which object refers to which.
Values are not, unless values=True; a key of a dictionary is named only if the program's own code
spells it. What is not: objects that only C code knows and does not show to the collector.

The process is changed as little as can be: no method or property of yours is called, no instance
dictionary is created if there is another way, every container made here is gone afterwards. The
process stops for the time of the walk, about 10 us per object. Other threads may run in between:
the file says so.
"""

# Modules in C only: whoever has not loaded `os` does not get it by being looked at.
import _weakref
import gc as _gc
import sys as _sys
import time as _time

try:
    import posix as _os
except ImportError:
    import nt as _os
try:
    import zlib as _zlib
except ImportError:
    _zlib = None

__all__ = ["dump"]

# Attribute names by type that were learned in earlier captures, so that no instance has to tell
# them twice.
_learned = {}
# Types whose instances hold what is no attribute: asking them did not help.
_unhelpful = {}

_FunctionType = type(lambda: 0)
_CodeType = type((lambda: 0).__code__)
_ModuleType = type(_sys)
_FrameType = type(_sys._getframe())
_BuiltinType = type(len)
_MethodType = type((lambda: 0).__get__(0))
_CellType = type((lambda x: lambda: x)(0).__closure__[0])
_MemberType = type(_FunctionType.__dict__["__globals__"])
_SlotType = type(object.__dict__["__sizeof__"])
_GeneratorType = type((lambda: (yield))())
try:
    raise KeyError
except KeyError as _error:
    _TracebackType = type(_error.__traceback__)


async def _coroutine():
    yield


_AsyncGeneratorType = type(_coroutine())


async def _coroutine():
    pass


_made = _coroutine()
_CoroutineType = type(_made)
_made.close()
del _made

_DISTINCT = 64      # elements of a sequence that are told apart by their index
_MANY_NAMES = 512   # attribute names of one type that are kept apart
_TEACHERS = 8       # instances of one type whose dictionary may be created to learn its names
_SEARCHES = 100     # types whose attributes are looked for among all names of the program
_ROWS = 4000        # rows that are packed at once
_HEAP_TYPE = 1 << 9     # tp_flags
_HAS_GC = 1 << 14
_OPTIMIZED = 1          # co_flags of a function, as opposed to a module or a class body
_IMMORTAL = 1 << 29


def dump(path, run=None, items=None, gc="full", label=None, workload=None, values=False,
         settle=None, settle_timeout=10.0):
    """Writes a capture to `path`; the ending .gz or .zst compresses it.

    run, items    how many runs were completed and how many items they processed, in sum
    gc            "full": collect first; what is written is alive. "none": as it is, with cycles
                  that wait for the collector. "saveall": collect, and write what was found, too:
                  exactly the unreachable cycles. They are alive again until the next collection,
                  and their finalisers have run.
    label, workload   text for the report
    values        also write short values of strings and numbers, and keys of dictionaries
    settle        a function that tells whether the program's queues are drained; it is asked until
                  it says so or settle_timeout seconds have passed

    Returns what was written: nodes, edges, roots, seconds, settled, unsettled. Where work was in
    flight, "unsettled" lists it, the file says so, and so does one line on standard error.
    """
    if _sys.implementation.name != "cpython":
        raise RuntimeError("heapdiff_capture needs CPython, not " + _sys.implementation.name)
    if gc not in ("full", "none", "saveall"):
        raise ValueError("gc must be 'full', 'none' or 'saveall', not %r" % (gc,))
    path = _os.fspath(path)
    if isinstance(path, bytes):
        path = path.decode(_sys.getfilesystemencoding(), _sys.getfilesystemencodeerrors())
    packer = _packer(path)
    unsettled = []
    if settle is not None:
        _wait_for(settle, settle_timeout, unsettled)
    settle = None

    started = _time.time()
    enabled = _gc.isenabled()
    garbage, collected, generations = [], 0, list(_gc.get_count())
    if gc == "full":
        for _ in range(4):  # finalisers may leave more
            found = _gc.collect()
            collected += found
            if not found:
                break
    elif gc == "saveall":
        garbage, collected = _save_all()
    _gc.disable()
    seeds = _gc.get_objects()  # before anything else is made here
    walk = _Walk(values, packer, unsettled)
    try:
        places, used = _places(), _others()
        walk.everything(seeds, garbage, _sys._getframe(1))
        _moved(places, used, unsettled)
        seconds = round(_time.time() - started, 3)
        capture = {"run": run, "items": items, "label": label, "workload": workload, "gc": gc,
                   "gc_collected": collected, "gc_enabled": enabled,
                   "gc_threshold": list(_gc.get_threshold()), "gc_count": generations,
                   "frozen": _gc.get_freeze_count(), "settled": not unsettled,
                   "unsettled": list(unsettled) or None,
                   "materialised": walk.materialised or None}
        header = {"format": "heapdiff-graph", "version": 1, "runtime": "cpython",
                  "runtime_version": "%d.%d.%d" % _sys.version_info[:3], "id_kind": "address",
                  "time": _time.strftime("%Y-%m-%dT%H:%M:%SZ", _time.gmtime(started)),
                  "pid": _os.getpid(), "size_kind": "shallow", "capture": capture}
        walk.row('{"end":true,"nodes":%d,"edges":%d,"roots":%d,"dangling":%d,"seconds":%.3f}\n'
                 % (walk.nodes, walk.edges, walk.roots, walk.dangling, seconds))
        chunks = walk.packed()
        result = {"nodes": walk.nodes, "edges": walk.edges, "roots": walk.roots,
                  "seconds": seconds, "settled": not unsettled, "unsettled": unsettled}
    finally:
        walk.clear()
        walk = seeds = None
        del garbage[:]
        if enabled:
            _gc.enable()
    chunks.insert(0, _pack(packer, [_json(header) + "\n"]))
    _write(path, chunks)
    if unsettled:
        _sys.stderr.write("heapdiff_capture: %s: not settled: %s\n"
                          % (_file_name(path), "; ".join(unsettled)))
    return result


def _wait_for(settle, timeout, unsettled):
    until = _time.time() + timeout
    while not settle():
        if _time.time() > until:
            unsettled.append("settle() did not hold within %g s" % timeout)
            return
        _time.sleep(0.01)


def _save_all():
    """Everything that the collector finds unreachable; the program's own garbage stays."""
    flags, before = _gc.get_debug(), len(_gc.garbage)
    try:
        _gc.set_debug(_gc.DEBUG_SAVEALL)
        collected = _gc.collect()
    finally:
        _gc.set_debug(flags)
        found = _gc.garbage[before:]
        del _gc.garbage[before:]
    return found, collected


# Writing ------------------------------------------------------------------------------------------

def _packer(path):
    """How a file of this name is compressed: None, or a function from bytes to bytes."""
    if path.endswith(".gz"):
        if _zlib is None:
            raise RuntimeError("this Python has no zlib: choose a name without .gz")

        def gzip(data):
            packing = _zlib.compressobj(6, _zlib.DEFLATED, 31)
            return packing.compress(data) + packing.flush()
        return gzip
    if path.endswith(".zst"):
        try:
            from compression.zstd import compress
        except ImportError:
            try:
                from zstandard import compress
            except ImportError:
                raise RuntimeError("this Python has no zstd: choose a name with .gz") from None
        return compress
    return None


def _pack(packer, rows):
    """Rows as bytes; each compressed piece is a member of its own."""
    data = "".join(rows).encode("ascii")
    return packer(data) if packer else data


def _write(path, chunks):
    """Writes beside the target and renames: no half file is ever seen."""
    beside = "%s.%d.part" % (path, _os.getpid())
    try:
        with open(beside, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
        _os.replace(beside, path)
    except BaseException:
        try:
            _os.unlink(beside)
        except OSError:
            pass
        raise


def _text(value):
    """A JSON string, in ASCII."""
    if value.isalnum() and value.isascii():
        return '"%s"' % value
    out = []
    for char in value:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif 32 <= code < 127:
            out.append(char)
        elif 0xd800 <= code < 0xe000:
            out.append("\\ufffd")
        elif code < 0x10000:
            out.append("\\u%04x" % code)
        else:
            code -= 0x10000
            out.append("\\u%04x\\u%04x" % (0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff)))
    return '"%s"' % "".join(out)


def _json(value):
    """JSON of what the header holds, without keys whose value is None."""
    if isinstance(value, dict):
        return "{%s}" % ",".join("%s:%s" % (_text(k), _json(v))
                                 for k, v in value.items() if v is not None)
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join([_json(v) for v in value])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return "%s" % value
    return _text(str(value))


# Is the process at rest? --------------------------------------------------------------------------

def _threads():
    """The thread objects by ident, read without threading's locks."""
    active = getattr(_sys.modules.get("threading"), "_active", None)
    return dict(active) if type(active) is dict else {}


def _ident():
    thread = _sys.modules.get("_thread")
    return thread.get_ident() if thread else None


def _places():
    """Where each other thread is: its innermost frame and instruction."""
    me = _ident()
    return {ident: (id(frame), frame.f_lasti, id(frame.f_code))
            for ident, frame in _sys._current_frames().items() if ident != me}


def _others():
    """Seconds of CPU that other threads of this process used so far."""
    return _time.process_time() - _time.thread_time()


def _moved(before, used, unsettled):
    """Tells which threads ran since `before`."""
    after, threads, count = _places(), _threads(), len(unsettled)
    for ident in sorted(set(before) | set(after)):
        if before.get(ident) != after.get(ident):
            name = _plain(threads.get(ident), "_name")
            unsettled.append("thread %s ran during the capture"
                             % (name if type(name) is str else ident))
    if len(unsettled) == count and len(after) > 0 and _others() - used > 0.005:
        unsettled.append("another thread ran during the capture")  # and came back to its place


def _plain(obj, name):
    """An attribute that was stored, else None."""
    try:
        return object.__getattribute__(obj, name)
    except Exception:
        return None


def _queues():
    """Types whose instances hold work that waits, each with the attribute that holds it."""
    found = {}
    for module, name, attribute in (
            ("queue", "Queue", "queue"), ("asyncio.queues", "Queue", "_queue"),
            ("multiprocessing.queues", "Queue", "_buffer"),
            ("asyncio.base_events", "BaseEventLoop", "_ready")):
        base = _plain(_sys.modules.get(module), name)
        if type(base) is type:
            for cls in _with_subclasses(base):
                found[id(cls)] = attribute
    simple = _plain(_sys.modules.get("_queue"), "SimpleQueue")
    if type(simple) is type:
        found[id(simple)] = None
    return found


def _waiting(queue, attribute):
    """How much waits in a queue."""
    if attribute is None:
        return queue.qsize()
    held = _plain(queue, attribute)
    deque = _plain(_sys.modules.get("_collections"), "deque")
    return len(held) if type(held) is list or deque and type(held) is deque else 0


def _with_subclasses(base):
    classes, seen = [base], {id(base)}
    for cls in classes:
        for sub in type.__subclasses__(cls):
            if id(sub) not in seen:
                seen.add(id(sub))
                classes.append(sub)
    return classes


# Names --------------------------------------------------------------------------------------------

_name_of = type.__dict__["__name__"].__get__
_qualname_of = type.__dict__["__qualname__"].__get__
_module_of = type.__dict__["__module__"].__get__
_linearised = type.__dict__["__mro__"].__get__
_bases_of = type.__dict__["__bases__"].__get__
_base_of = type.__dict__["__base__"].__get__
_flags_of = type.__dict__["__flags__"].__get__
_namespace = type.__dict__["__dict__"].__get__
_dictoffset_of = type.__dict__["__dictoffset__"].__get__
_basicsize_of = type.__dict__["__basicsize__"].__get__
_stored = object.__getattribute__


def _mro_of(cls):
    """The classes of a type; a C type that nothing has used yet has no list of them."""
    return _linearised(cls) or (cls,)


def _is_a(cls, base):
    return any([other is base for other in _mro_of(cls)])


def _namespace_of(cls):
    return _namespace(cls) or {}


def _full_name(cls):
    """module.Qualified.name of a type, without a call of its metaclass."""
    name = _qualname_of(cls)
    try:
        module = _module_of(cls)
    except AttributeError:
        module = None
    if type(module) is not str or module == "builtins":
        return name
    return module + "." + name


_globals_of = _ModuleType.__dict__["__dict__"].__get__


def _is_of_library(cls):
    """Whether the source of a class lies among installed packages."""
    try:
        module = _module_of(cls)
    except AttributeError:
        return False
    module = _sys.modules.get(module) if type(module) is str else None
    if not issubclass(type(module), _ModuleType):
        return False
    path = _globals_of(module).get("__file__")
    parts = path.replace("\\", "/").split("/") if type(path) is str else []
    return "site-packages" in parts or "dist-packages" in parts


def _file_name(path):
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _code_of(function):
    """The code objects of functions and of what functions are wrapped in."""
    kind = type(function)
    if kind is _FunctionType:
        return [function.__code__]
    if kind is property:
        return [code for part in (function.fget, function.fset, function.fdel)
                for code in _code_of(part)]
    if kind is staticmethod or kind is classmethod:
        return _code_of(function.__func__)
    return []


def _spelled(codes):
    """What code objects and those inside them spell: ids of string constants, and identifiers."""
    literals, words, seen, pending = set(), {}, set(), list(codes)
    while pending:
        const = pending.pop()
        kind = type(const)
        if kind is str:
            literals.add(id(const))
            if len(const) < 64 and const.isidentifier():
                words[const] = True
        elif kind is tuple or kind is frozenset:
            pending.extend(const)
        elif kind is _CodeType and id(const) not in seen:
            seen.add(id(const))
            words.update(dict.fromkeys(const.co_names))
            pending.extend(const.co_consts)
    return literals, words


# What belongs to this file ------------------------------------------------------------------------

def _own():
    """Ids of what exists because this file was imported."""
    ours, mine = set(), globals()
    module = _sys.modules.get(__name__)
    pending = [mine.get("__spec__"), mine.get("__loader__")]
    private = {id(type(o)) for o in pending}
    for key, value in mine.items():
        kind = type(value)
        if (kind in (dict, tuple, list) and key != "__builtins__"
                or kind is _FunctionType and value.__globals__ is mine
                or kind is type and _module_of(value) == __name__
                or id(kind) in private):
            pending.append(value)
        elif kind.__name__ == "method-wrapper":  # the descriptors' __get__ above
            ours.add(id(value))
    ours.update((id(mine), id(module)))
    inner = (dict, tuple, list, set, _CellType, _MemberType, type(_MemberType.__dict__["__name__"]))
    while pending:
        obj = pending.pop()
        if obj is None or id(obj) in ours:
            continue
        ours.add(id(obj))
        kind = type(obj)
        if kind is _CodeType:
            pending.extend([c for c in obj.co_consts if type(c) in (_CodeType, tuple)])
            pending.extend([obj.co_consts, obj.co_names])
            continue
        for ref in _gc.get_referents(obj):
            sort = type(ref)
            if (sort in inner and ref is not mine and ref is not mine.get("__builtins__")
                    or sort is _CodeType
                    or sort is _FunctionType and ref.__globals__ is mine
                    or sort is type and _module_of(ref) == __name__
                    or id(sort) in private):
                pending.append(ref)
    return ours


# The walk -----------------------------------------------------------------------------------------

class _Info:
    """What the walk knows of a type."""
    __slots__ = ("cls", "number", "visit", "heap", "dicts", "members", "attributes", "taught",
                 "reserved", "searched", "teachers", "size", "fields", "key")


class _Walk:
    """One pass over the graph, written as rows of text."""
    __slots__ = ("values", "packer", "unsettled", "rows", "chunks", "nodes", "edges", "roots",
                 "dangling", "materialised", "skip", "seen", "stack", "infos", "types",
                 "edge_names", "collapsed", "namespaces", "live", "borrowed", "literals", "words",
                 "codes", "weak", "rest", "listed", "visitors", "searches", "module_words", "note", "deque",
                 "ndarray", "type_edge", "weak_edge", "key_edge", "element_edge", "other_edge",
                 "index_edges")

    def __init__(self, values, packer, unsettled):
        self.values, self.packer, self.unsettled = values, packer, unsettled
        self.rows, self.chunks, self.stack, self.borrowed, self.codes = [], [], [], [], []
        self.nodes = self.edges = self.roots = self.dangling = self.materialised = 0
        self.searches = self.types = 0
        self.skip = _own()
        self.skip.update([id(o) for o in (None, True, False, Ellipsis, NotImplemented)])
        self.seen = set(self.skip)
        self.infos, self.edge_names, self.namespaces, self.live = {}, {}, {}, {}
        self.module_words, self.listed = {}, {}
        self.collapsed, self.literals, self.weak = set(), set(), set()
        self.words = self.rest = self.note = None
        self.type_edge = self.name("<type>", "struct")
        self.weak_edge = self.name("<weak>", "weak")
        self.key_edge = self.name("<key>", "key")
        self.element_edge = self.name("<elem>", "elem")
        self.other_edge = self.name("", "other")
        self.index_edges = [self.name("[%d]" % i, "item") for i in range(_DISTINCT)]
        self.index_edges.append(self.name("[]", "item"))
        self.deque = _plain(_sys.modules.get("_collections"), "deque")
        self.ndarray = _plain(_sys.modules.get("numpy"), "ndarray")
        # How objects of a type are walked, and what they are; the first that fits holds.
        leaf, resumable = self.leaf, self.resumable
        self.visitors = [
            (type, self.type, "type"), (_ModuleType, self.module, "module"),
            (_FunctionType, self.function, "function"), (_BuiltinType, self.builtin, "native"),
            (_MethodType, self.method, "closure"), (_CellType, self.cell, "closure"),
            (_CodeType, self.code, "other"), (_FrameType, self.frame, "frame"),
            (_TracebackType, self.traceback, "traceback"),
            (BaseException, self.exception, "exception"),
            (_GeneratorType, resumable, "generator"), (_CoroutineType, resumable, "generator"),
            (_AsyncGeneratorType, resumable, "generator"),
            (dict, self.dict, "map"), (list, self.sequence, "list"),
            (tuple, self.sequence, "list"), (set, self.set, "set"), (frozenset, self.set, "set"),
            (str, leaf, "string"), (bytes, leaf, "bytes"), (bytearray, leaf, "bytes"),
            (int, leaf, "number"), (float, leaf, "number"), (complex, leaf, "number"),
            (_weakref.ReferenceType, self.reference, "weakref"),
            (_weakref.ProxyType, self.object, "weakref"),
            (_weakref.CallableProxyType, self.object, "weakref"),
        ]
        if type(self.deque) is type:
            self.visitors.append((self.deque, self.sequence, "list"))
        if type(self.ndarray) is type:
            self.visitors.append((self.ndarray, self.array, "list"))

    def clear(self):
        """Leaves nothing behind, whoever still refers to this."""
        self.give_back()
        for slot in _Walk.__slots__:
            held = _plain(self, slot)
            if slot != "unsettled" and type(held) in (dict, set, list):
                held.clear()
            setattr(self, slot, None)

    def give_back(self):
        """Empties the copies of local variables that a frame keeps once f_locals was read."""
        for code, held in self.borrowed:
            for name in code.co_varnames + code.co_cellvars + code.co_freevars:
                held.pop(name, None)
        del self.borrowed[:]

    # The order: first all that a root reaches, then the rest.

    def everything(self, seeds, garbage, frame):
        for held in (self, seeds, garbage, self.unsettled, self.packer):
            if held is not None:
                self.skip.add(id(held))
                self.seen.add(id(held))
        if _sys.version_info < (3, 13):
            for some in (seeds, garbage):
                for obj in some:
                    if type(obj) is dict:
                        self.listed[id(obj)] = self.listed.get(id(obj), 0) + 1
            obj = None
        self.look(seeds)
        self.from_roots(frame)
        saved = {id(obj) for obj in garbage}
        self.rest = []
        # These come last: most of them belong to an object that stands for them.
        late = _SLOTS | {id(dict), id(tuple), id(_FrameType)}
        for some in (garbage, seeds):
            self.stack.extend([o for o in some if id(type(o)) not in late and self.fresh(o)])
            self.drain()
        for some in (garbage, seeds):
            for obj in some:
                if id(type(obj)) in late and id(obj) not in self.collapsed and self.fresh(obj):
                    self.stack.append(obj)
                    self.drain()
            obj = None
        del seeds[:], garbage[:]
        self.held_outside(saved)
        self.dangling = len(self.weak - self.seen)

    def fresh(self, obj):
        """Whether an object is met for the first time."""
        if id(obj) in self.seen:
            return False
        self.seen.add(id(obj))
        return True

    def look(self, seeds):
        """What has to be known before the first row: names that code spells, work that waits."""
        queues, waits = _queues(), {}
        for obj in seeds:
            kind = type(obj)
            if kind is _FunctionType:
                self.codes.append(obj.__code__)
            elif id(kind) in queues:
                number = _waiting(obj, queues[id(kind)])
                if number:
                    name = _full_name(kind)
                    waits[name] = waits.get(name, 0) + number
        for name in sorted(waits):
            self.unsettled.append("%d waiting in %s" % (waits[name], name))
        frozen = _gc.get_freeze_count()
        for module in list(_sys.modules.values()):
            held = _plain(module, "__dict__")
            if type(held) is not dict:
                continue
            self.namespaces[id(held)] = "attr"
            for value in list(held.values()) if frozen else ():  # not among the seeds
                self.codes.extend(_code_of(value))
                if type(value) is type:
                    for inner in list(_namespace_of(value).values()):
                        self.codes.extend(_code_of(inner))
        self.namespaces[id(_sys.modules)] = "item"
        for frame in _sys._current_frames().values():
            while frame is not None:
                self.codes.append(frame.f_code)
                frame = frame.f_back
        self.literals = _spelled(self.codes)[0]

    def from_roots(self, frame):
        # Modules first: shortest paths then begin at names that a reader knows.
        for name, module in list(_sys.modules.items()):
            if type(name) is str and module is not None:
                self.root(module, "module", name)
        threads, stacks = _threads(), _sys._current_frames()
        stacks[_ident()] = frame
        for ident in sorted(stacks):
            thread, depth, frame = threads.get(ident), 0, stacks[ident]
            name = _plain(thread, "_name")
            name = name if type(name) is str else str(ident)
            if thread is not None:
                self.root(thread, "thread", name)
            while frame is not None:
                self.live[id(frame)] = frame
                self.root(frame, "frame", "%s#%d %s" % (name, depth, frame.f_code.co_name))
                depth, frame = depth + 1, frame.f_back
        stacks.clear()
        threads.clear()
        handled = _sys.exc_info()[1]
        if handled is not None:
            self.root(handled, "thread", "the exception that is being handled")
        self.drain()
        self.root(_sys.modules, "interp", "sys.modules")
        builtins = _plain(_sys.modules.get("builtins"), "__dict__")
        if builtins is not None:
            self.root(builtins, "interp", "builtins")
        for obj in list(_gc.garbage):
            self.root(obj, "garbage", "gc.garbage")
        for cls in _with_subclasses(object):
            if not _flags_of(cls) & _HEAP_TYPE:
                self.root(cls, "static_type", _full_name(cls))
        self.drain()

    def root(self, obj, kind, name):
        if id(obj) not in self.skip:
            self.root_row(id(obj), kind, name, "")
            if self.fresh(obj):
                self.stack.append(obj)

    def root_row(self, number, kind, name, more):
        self.roots += 1
        self.row('{"r":%d,"kind":"%s","name":%s%s}\n' % (number, kind, _text(name), more))

    def held_outside(self, saved):
        """What no root reaches is garbage of the collector or held by C code. Reference counts
        tell: C code holds those that have more than the objects here account for."""
        rest, inner = self.rest, {}
        self.give_back()
        for held in (self.infos, self.visitors, self.codes, self.live):
            held.clear()
        numbers = {id(obj) for obj, _ in rest}
        for _, targets in rest:
            for target in targets:
                if target in numbers:
                    inner[target] = inner.get(target, 0) + 1
        probe = []
        rest.append((probe, ()))
        counts = [_sys.getrefcount(obj) for obj, _ in rest]
        own = counts.pop() - 1  # what this loop itself holds: the probe's less its variable
        rest.pop()
        for (obj, _), count in zip(rest, counts):
            if id(obj) in saved:
                self.root_row(id(obj), "uncollected", "gc.garbage", ',"weak_root":true')
            elif count >= _IMMORTAL or count - own > inner.get(id(obj), 0):
                self.root_row(id(obj), "external", _full_name(type(obj)), "")
        obj = None

    # Rows.

    def row(self, text):
        self.rows.append(text)
        if len(self.rows) >= _ROWS:
            self.flush()

    def flush(self):
        self.chunks.append(_pack(self.packer, self.rows))
        del self.rows[:]

    def packed(self):
        self.flush()
        chunks, self.chunks = self.chunks, []
        return chunks

    def name(self, text, kind):
        """The number of an edge name; its first use defines it."""
        number = self.edge_names.get((text, kind))
        if number is None:
            number = self.edge_names[text, kind] = len(self.edge_names)
            self.row('{"k":%d,"name":%s,"kind":"%s"}\n' % (number, _text(text), kind))
        return number

    def type_row(self, name, role):
        self.row('{"t":%d,"name":%s,"role":"%s"}\n' % (self.types, _text(name), role))
        self.types += 1
        return self.types - 1

    def info(self, cls):
        """What there is to know of a type; the first use defines it."""
        info = self.infos.get(id(cls))
        if info is not None:
            return info
        info = self.infos[id(cls)] = _Info()
        mro, flags = _mro_of(cls), _flags_of(cls)
        info.cls, info.heap, info.dicts = cls, bool(flags & _HEAP_TYPE), _dictoffset_of(cls) != 0
        info.visit, role = self.object, "instance" if info.heap else "native"
        # Types are compared by identity: a metaclass may have an == of its own.
        ids = {id(base) for base in mro}
        for base, visit, kind in self.visitors:
            if id(base) in ids:
                info.visit, role = visit, kind
                break
        info.attributes, info.taught, info.reserved = {}, [], None
        info.searched = info.teachers = 0
        info.key = info.fields = info.size = None
        info.members = []
        for base in mro:
            namespace = _namespace_of(base)
            for key, value in list(namespace.items()):
                if type(value) is _MemberType and type(key) is str:
                    struct = key in ("__objclass__", "__name__", "__doc__", "__module__")
                    number = self.name(key, "struct") if struct else self.name("." + key, "attr")
                    info.members.append((number, value.__get__))
            fields = namespace.get("_fields")
            if info.fields is None and id(tuple) in ids and type(fields) is tuple and all(
                    [type(field) is str for field in fields]):
                info.fields = [self.name("." + field, "attr") for field in fields]
        # __sizeof__ of C types only: another one is the program's code.
        own = [s for s in [_namespace_of(base).get("__sizeof__") for base in mro] if s is not None]
        if own and type(own[0]) is not _SlotType:
            info.size = [s for s in own if type(s) is _SlotType][0]
        if role in ("instance", "list", "map", "set") and _is_of_library(cls):
            role = "library"
        info.number = self.type_row(_full_name(cls), role)
        return info

    def size(self, obj, info):
        try:
            if info.size is None:
                return _sys.getsizeof(obj)
            return info.size(obj) + (16 if _flags_of(info.cls) & _HAS_GC else 0)
        except Exception:
            return _basicsize_of(info.cls)

    def drain(self):
        """Walks what is on the stack and everything below it."""
        stack, infos, collapsed, rest = self.stack, self.infos, self.collapsed, self.rest
        while stack:
            obj = stack.pop()
            cls = type(obj)
            info = infos.get(id(cls)) or self.info(cls)
            out = []
            if info.heap:
                self.edge(out, self.type_edge, cls)
            extra = info.visit(obj, info, out) or 0
            size = 0 if id(obj) in collapsed else self.size(obj, info) + extra
            number = info.number
            more = self.note or ""
            self.note = None
            if cls is dict and id(obj) in self.namespaces:
                number = self.infos.get("namespace")
                if number is None:
                    number = self.infos["namespace"] = self.type_row("dict", "namespace")
            if out:
                more += ',"e":' + repr(out).replace(" ", "")
            self.nodes += 1
            self.edges += len(out) >> 1
            self.row('{"n":%d,"t":%d,"s":%d%s}\n' % (id(obj), number, size, more))
            if rest is not None:
                rest.append((obj, out[1::2]))

    def label(self, text):
        if type(text) is str:
            self.note = ',"l":' + _text(text)

    # Edges.

    def edge(self, out, name, target):
        number = id(target)
        if number not in self.skip:
            out.append(name)
            out.append(number)
            if number not in self.seen:
                self.seen.add(number)
                self.stack.append(target)

    def match(self, out, refs, pairs):
        """Edges for the named ones among the referents; returns the others."""
        left = {}
        for ref in refs:
            left[id(ref)] = left.get(id(ref), 0) + 1
        for name, value in pairs:
            if left.get(id(value)):
                left[id(value)] -= 1
                self.edge(out, name, value)
        others = []
        for ref in refs:
            if left[id(ref)]:
                left[id(ref)] -= 1
                others.append(ref)
        return others

    def without(self, refs, known):
        """The referents less those that are known, each as often as it stands there."""
        left = {}
        for value in known:
            left[id(value)] = left.get(id(value), 0) + 1
        others = []
        for ref in refs:
            if left.get(id(ref)):
                left[id(ref)] -= 1
            else:
                others.append(ref)
        return others

    def others(self, out, refs):
        for ref in refs:
            self.edge(out, self.other_edge, ref)

    def referents(self, obj, info):
        """What the collector sees, but for the type, which has an edge already."""
        refs = _gc.get_referents(obj)
        if info.heap:
            for at in range(len(refs) - 1, -1, -1):
                if refs[at] is info.cls:
                    del refs[at]
                    break
        return refs

    # Objects by kind. Each adds its edges and returns bytes that are counted as its own.

    def leaf(self, obj, info, out):
        if self.values and not info.heap and info.cls is not bytearray and info.cls is not complex:
            text = obj if info.cls is str else repr(obj[:100] if info.cls is bytes else obj)
            self.note = ',"v":' + _text(text[:100])
        return self.object(obj, info, out) if info.heap else 0

    def object(self, obj, info, out):
        """Anything: members, attributes, and what nothing explains."""
        refs = self.referents(obj, info)
        return self.remaining(obj, info, out, refs)

    def remaining(self, obj, info, out, refs):
        if not refs:
            return 0
        if info.members:
            pairs = []
            for name, get in info.members:
                try:
                    pairs.append((name, get(obj, info.cls)))
                except Exception:
                    continue
            refs = self.match(out, refs, pairs)
        if info.dicts and refs:
            return self.attributes(obj, info, out, refs)
        self.others(out, refs)
        return 0

    def attributes(self, obj, info, out, refs):
        """Attributes of an instance, named without creating its dictionary where there is none
        (from 3.11 on the values may be in the instance). The dictionary itself is not shown."""
        for at in range(len(refs) - 1, -1, -1):
            if type(refs[at]) is dict and self.owns(obj, info, refs[at]):
                held = refs.pop(at)
                for key, value in held.items():
                    if type(key) is str:
                        self.edge(out, self.attribute(info, key), value)
                    else:
                        self.edge(out, self.key_edge, key)
                        self.edge(out, self.other_edge, value)
                self.others(out, refs)
                return self.stand_for(out, held)
        refs = self.match(out, refs, self.taught_pairs(obj, info))
        refs = [ref for ref in refs if id(ref) not in self.skip]
        if refs and self.learn(obj, info, refs):
            refs = self.match(out, refs, self.taught_pairs(obj, info))
        self.others(out, refs)
        return 0

    def taught_pairs(self, obj, info):
        pairs = []
        for name in info.taught:
            try:
                pairs.append((info.attributes[name], _stored(obj, name)))
            except AttributeError:
                continue
        return pairs

    def stand_for(self, out, held):
        """Bytes of a dictionary that its owner stands for, unless something else showed it."""
        if id(held) in self.seen:
            self.edge(out, self.name("__dict__", "attr"), held)
            return 0
        self.collapsed.add(id(held))
        return _sys.getsizeof(held)

    def attribute(self, info, key):
        name = info.attributes.get(key)
        if name is None:
            if len(info.attributes) >= _MANY_NAMES or not key.isidentifier():
                return self.name("[<str>]", "item")
            name = info.attributes[key] = self.name("." + key, "attr")
        return name

    def reserved(self, info):
        """Names that must not be asked for: a descriptor of the class would run."""
        if info.reserved is None:
            found = {}
            for base in _mro_of(info.cls):
                for key, value in list(_namespace_of(base).items()):
                    found.setdefault(key, value)
            info.reserved = {
                key for key, value in found.items() if type(value) is not _FunctionType
                and any(["__get__" in _namespace_of(base) for base in _mro_of(type(value))])}
        return info.reserved

    def owns(self, obj, info, held):
        """Whether a dictionary is the one that holds the attributes of an instance."""
        if not held:
            return not _INLINE and info.heap
        reserved = self.reserved(info)
        for key, value in held.items():
            if type(key) is str and key not in reserved:
                try:
                    return _stored(obj, key) is value
                except Exception:
                    return False
        return False

    def learn(self, obj, info, refs):
        """Finds names for what an instance refers to; whether one was found."""
        if info.searched >= 50:
            return False
        info.searched += 1
        wanted, before = {id(ref) for ref in refs}, len(info.taught)
        full, reserved = _full_name(info.cls), self.reserved(info)
        for stage in range(4):
            if stage == 0:
                words = _learned.get(full, "").split()
            elif stage == 1:
                words = _spelled([code for base in _mro_of(info.cls)
                                  for value in list(_namespace_of(base).values())
                                  for code in _code_of(value)])[1]
            elif stage == 2:
                words = self.words_of(_module_name(info.cls))
            elif self.searches < _SEARCHES:
                self.searches += 1
                words = self.words_of(None)
            else:
                break
            for word in words:
                if word in reserved or word in info.attributes and word in info.taught:
                    continue
                try:
                    value = _stored(obj, word)
                except Exception:
                    continue
                if id(value) in wanted and len(info.taught) < _MANY_NAMES:
                    wanted.discard(id(value))
                    info.attributes[word] = self.name("." + word, "attr")
                    info.taught.append(word)
            if not wanted:
                break
        if (wanted and _INLINE and info.heap and info.teachers < _TEACHERS
                and full not in _unhelpful):
            # No code spells them: ask one instance, whose dictionary comes into being by that.
            info.teachers += 1
            try:
                held = _stored(obj, "__dict__")
            except Exception:
                held = None
            asked = len(info.taught)
            if any([ref is held for ref in refs]):  # it was there already, and empty
                self.skip.add(id(held))
                self.seen.add(id(held))
                return False
            if type(held) is dict:
                self.materialised += 1
                for key in held:
                    if (type(key) is str and key not in info.taught and key.isidentifier()
                            and len(info.taught) < _MANY_NAMES and key not in reserved):
                        info.attributes[key] = self.name("." + key, "attr")
                        info.taught.append(key)
            if asked == len(info.taught):
                _unhelpful[full] = True
        names = " ".join(info.taught)
        if names != _learned.get(full, ""):
            _learned[full] = names
        return len(info.taught) > before

    def words_of(self, module):
        """Identifiers that the functions of a module spell; None: of all modules."""
        words = self.module_words.get(module)
        if words is None:
            if module is None:
                codes = self.codes
            else:
                held = _plain(_sys.modules.get(module), "__dict__")
                codes = [code for value in list(held.values() if type(held) is dict else ())
                         for inner in (list(_namespace_of(value).values())
                                       if type(value) is type else (value,))
                         for code in _code_of(inner)]
            words = self.module_words[module] = _spelled(codes)[1]
        return words

    def dict(self, obj, info, out):
        kind = self.namespaces.get(id(obj))
        named, literals, edge = self.values, self.literals, self.edge
        self.note = ',"c":%d' % len(obj) if info.cls is dict else ',"c":%d' % dict.__len__(obj)
        for key, value in list(dict.items(obj)):
            if type(key) is str:
                if kind is not None and key.isascii() and len(key) < 200:
                    edge(out, self.name("." + key if kind == "attr" else "[%s]" % key, kind), value)
                    continue
                name = "[%s]" % key[:40] if named or id(key) in literals else "[<str>]"
                name = self.name(name, "item")
            else:
                known = self.info(type(key))
                if known.key is None:
                    known.key = self.name("[<%s>]" % _full_name(type(key)), "item")
                name = known.key
            edge(out, self.key_edge, key)
            edge(out, name, value)
        if info.cls is dict:
            return 0
        return self.beyond(obj, info, out, [part for pair in list(dict.items(obj)) for part in pair])

    def sequence(self, obj, info, out):
        items = list(list.__iter__(obj) if _is_a(info.cls, list) else
                     tuple.__iter__(obj) if _is_a(info.cls, tuple) else
                     self.deque.__iter__(obj))
        self.note = ',"c":%d' % len(items)
        edge, names = self.edge, self.index_edges
        if info.fields is not None and len(info.fields) == len(items):
            names = info.fields + names[-1:]
        last = len(names) - 1
        for at, value in enumerate(items):
            edge(out, names[at if at < last else last], value)
        if info.cls is list or info.cls is tuple:
            return 0
        return self.beyond(obj, info, out, items)

    def set(self, obj, info, out):
        items = list(set.__iter__(obj) if _is_a(info.cls, set) else frozenset.__iter__(obj))
        self.note = ',"c":%d' % len(items)
        for value in items:
            self.edge(out, self.element_edge, value)
        if info.cls is set or info.cls is frozenset:
            return 0
        return self.beyond(obj, info, out, items)

    def beyond(self, obj, info, out, contents):
        """What a container refers to besides its contents."""
        refs = self.without(self.referents(obj, info), contents)
        return self.remaining(obj, info, out, refs)

    def named(self, obj, info, out, pairs):
        """An object whose references have names that are known."""
        return self.remaining(obj, info, out,
                              self.match(out, self.referents(obj, info), pairs))

    def type(self, obj, info, out):
        held = (_gc.get_referents(_namespace_of(obj)) or [{}])[0]
        known = [held]
        extra, mine = 0, self.infos[id(obj)] if id(obj) in self.infos else self.info(obj)
        for key, value in list(held.items()):
            if id(type(value)) in _SLOTS and value.__objclass__ is obj and not mine.heap:
                # A type of the interpreter stands for its slots.
                self.collapsed.add(id(value))
                extra += _sys.getsizeof(value)
            elif type(key) is str:
                if key not in ("__module__", "__qualname__"):
                    self.edge(out, self.attribute(mine, key), value)
            else:
                self.edge(out, self.other_edge, value)
        for name, value in (("__mro__", _mro_of(obj)), ("__bases__", _bases_of(obj)),
                            ("__base__", _base_of(obj))):
            self.edge(out, self.name(name, "struct"), value)
            known.append(value)
        extra += self.stand_for(out, held)
        self.others(out, self.without(self.referents(obj, info), known))
        self.label(_full_name(obj))
        return extra

    def module(self, obj, info, out):
        held = _stored(obj, "__dict__")
        if type(held) is dict:
            self.namespaces[id(held)] = "attr"
            self.label(held.get("__name__"))
        self.others(out, self.match(out, self.referents(obj, info),
                                    [(self.name("__dict__", "struct"), held)]))

    def function(self, obj, info, out):
        self.namespaces.setdefault(id(obj.__globals__), "attr")
        name = self.name
        pairs = [(name("__code__", "struct"), obj.__code__),
                 (name("__globals__", "struct"), obj.__globals__),
                 (name("__defaults__", "closure"), obj.__defaults__),
                 (name("__kwdefaults__", "closure"), obj.__kwdefaults__),
                 (name("__closure__", "closure"), obj.__closure__)]
        if _sys.version_info >= (3, 10):
            pairs.append((name("__builtins__", "struct"), obj.__builtins__))
        self.label(obj.__qualname__)
        # Names and documentation belong to the code.
        refs = self.without(self.referents(obj, info), [
            obj.__name__, obj.__qualname__, obj.__module__, obj.__doc__])
        extra = 0
        for ref in self.match(out, refs, pairs):
            # Asking for __dict__ or __annotations__ would create them.
            if type(ref) is dict and ref and self.owns(obj, info, ref):
                for key, value in ref.items():
                    self.edge(out, self.attribute(info, key) if type(key) is str
                              else self.other_edge, value)
                extra += self.stand_for(out, ref)
            elif type(ref) in (dict, tuple):
                self.edge(out, name("__annotations__", "struct"), ref)
            else:
                self.edge(out, self.other_edge, ref)
        return extra

    def builtin(self, obj, info, out):
        return self.named(obj, info, out, [(self.name("__self__", "closure"), obj.__self__)])

    def method(self, obj, info, out):
        return self.named(obj, info, out, [(self.name("__self__", "closure"), obj.__self__),
                                           (self.name("__func__", "closure"), obj.__func__)])

    def cell(self, obj, info, out):
        for ref in self.referents(obj, info):
            self.edge(out, self.name("cell_contents", "closure"), ref)

    def code(self, obj, info, out):
        """The collector sees nothing of a code object; constants would look unreachable. It stands
        for its own tables; names are shared with everything."""
        self.label(getattr(obj, "co_qualname", obj.co_name))
        extra = 0
        for const in obj.co_consts:
            self.edge(out, self.name("co_consts", "struct"), const)
        for table in (obj.co_consts, obj.co_names, getattr(obj, _LINES, b""),
                      getattr(obj, "co_exceptiontable", b"")):
            if len(table):  # the empty ones are one for all
                self.collapsed.add(id(table))
                extra += _sys.getsizeof(table)
        return extra

    def reference(self, obj, info, out):
        target = _weakref.ReferenceType.__call__(obj)
        if target is not None and id(target) not in self.skip:
            out.append(self.weak_edge)
            out.append(id(target))
            self.weak.add(id(target))
        target = None
        return self.object(obj, info, out)

    def traceback(self, obj, info, out):
        code = obj.tb_frame.f_code
        self.label("%s:%s" % (_file_name(code.co_filename), obj.tb_lineno))
        return self.named(obj, info, out, [(self.name("tb_frame", "frame"), obj.tb_frame),
                                           (self.name("tb_next", "frame"), obj.tb_next)])

    def exception(self, obj, info, out):
        return self.named(obj, info, out, [
            (self.name(key, "attr"), get(obj, info.cls)) for key, get in _EXCEPTION])

    def frame(self, obj, info, out):
        code = obj.f_code
        self.label(code.co_name)
        self.edge(out, self.name("f_code", "struct"), code)
        self.namespaces.setdefault(id(obj.f_globals), "attr")
        self.edge(out, self.name("f_globals", "struct"), obj.f_globals)
        if obj.f_back is not None:
            self.edge(out, self.name("f_back", "frame"), obj.f_back)
        variables = self.locals(obj)
        if id(obj) in self.live:
            # From 3.11 on the collector sees nothing of a running frame: all by f_locals.
            for key, value in variables:
                self.edge(out, self.name("local:" + key, "local"), value)
            return 0
        refs = self.without(_gc.get_referents(obj),
                            [code, obj.f_globals, obj.f_back, obj.f_builtins])
        self.variables(obj, out, refs, variables)

    def locals(self, frame):
        """The local variables of a frame by name. Up to 3.12 the frame keeps the dictionary that
        was made for this: it is hidden, and emptied at the end, if nobody else holds it."""
        code, held = frame.f_code, frame.f_locals
        if not code.co_flags & _OPTIMIZED:
            if held is frame.f_globals:
                return []
        elif type(held) is dict and _sys.getrefcount(held) <= 3 + self.listed.get(id(held), 0):
            self.skip.add(id(held))
            self.seen.add(id(held))
            self.borrowed.append((code, held))
        return [(key, value) for key, value in list(held.items()) if type(key) is str]

    def variables(self, frame, out, refs, variables):
        """Edges to the local variables among `refs`, to their cells where inner functions use
        them."""
        names = {}
        for key, value in variables:
            names.setdefault(id(value), []).append(self.name("local:" + key, "local"))
        for ref in refs:
            found = names.get(id(ref))
            if not found and type(ref) is _CellType:
                inner = _gc.get_referents(ref)
                found = names.get(id(inner[0])) if inner else None
                inner = None
            if found:
                self.edge(out, found.pop(0), ref)
            elif type(ref) is _FunctionType and ref.__code__ is frame.f_code:
                self.edge(out, self.name("f_func", "struct"), ref)
            elif ref is frame.f_code or ref is frame.f_globals or ref is frame.f_builtins:
                self.edge(out, self.name("f_builtins", "struct"), ref)
            else:
                self.edge(out, self.other_edge, ref)

    def resumable(self, obj, info, out):
        """Generators and coroutines: their frame is not shown unless something else refers to it;
        up to 3.10 it is an object of its own, from 3.11 on a part of theirs."""
        frame, code, waits = [_plain_slot(obj, info.cls, key) for key in _RESUMABLE[info.cls]]
        if code is not None:
            self.label(getattr(code, "co_qualname", code.co_name))
        self.edge(out, self.name("f_code", "struct"), code)
        extra, known = 0, [frame, code, obj.__name__, obj.__qualname__]
        if frame is None:
            self.others(out, self.without(self.referents(obj, info), known))
            return 0
        if id(frame) in self.live:
            self.edge(out, self.name("gi_frame", "frame"), frame)
            return 0
        variables = self.locals(frame)
        refs = self.without(self.referents(obj, info), known)
        if not _INLINE:
            refs += self.without(_gc.get_referents(frame),
                                 [code, frame.f_globals, frame.f_builtins])
            if id(frame) not in self.seen:
                extra = _sys.getsizeof(frame)
        if id(frame) not in self.seen:
            self.collapsed.add(id(frame))
        if waits is not None:
            refs = self.match(out, refs, [(self.name(_RESUMABLE[info.cls][2], "frame"), waits)])
        self.variables(frame, out, refs, variables)
        return extra

    def array(self, obj, info, out):
        """numpy shows the collector nothing: what a view keeps, and the elements of type object."""
        self.edge(out, self.name(".base", "attr"), self.ndarray.base.__get__(obj, info.cls))
        if self.ndarray.dtype.__get__(obj, info.cls).char == "O":
            items = self.ndarray.ravel(obj).tolist()
            self.note = ',"c":%d' % len(items)
            for value in items:
                self.edge(out, self.index_edges[-1], value)
        return self.object(obj, info, out)


_SLOTS = {id(type(value)) for value in (
    type.__dict__["__dict__"], type.__dict__["mro"], _FunctionType.__dict__["__globals__"],
    dict.__dict__["fromkeys"], int.__dict__["__add__"])}
_LINES = "co_linetable" if _sys.version_info >= (3, 10) else "co_lnotab"
_INLINE = _sys.version_info >= (3, 11)
_EXCEPTION = [(key, BaseException.__dict__[key].__get__)
              for key in ("__traceback__", "__context__", "__cause__", "args")]
_RESUMABLE = {_GeneratorType: ("gi_frame", "gi_code", "gi_yieldfrom"),
              _CoroutineType: ("cr_frame", "cr_code", "cr_await"),
              _AsyncGeneratorType: ("ag_frame", "ag_code", "ag_await")}


def _plain_slot(obj, cls, key):
    """A C attribute of an object whose type cannot be subclassed."""
    return cls.__dict__[key].__get__(obj, cls)


def _module_name(cls):
    try:
        return _module_of(cls)
    except AttributeError:
        return None
