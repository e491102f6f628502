"""Tests of capture/heapdiff_capture.py: python3 tests/capture/python.py [NAME...]

Needs nothing but CPython 3.8 or later. The expected names are one table for all versions.
"""

import collections
import gc
import gzip
import json
import os
import sys
import tempfile
import threading
import time
import weakref

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "capture"))
import heapdiff_capture  # noqa: E402

FOLDER = tempfile.mkdtemp()


class Graph:
    """A capture, read by the rules of the format and held to them. The next capture forgets what
    was read of this one, so as not to show it."""
    last = None

    def __init__(self, path=None, result=None, **options):
        if path is None:
            if Graph.last is not None:
                vars(Graph.last).clear()
            Graph.last = self
            path = os.path.join(FOLDER, "graph.hdg")
            result = heapdiff_capture.dump(path, **options)
        self.result = result
        self.types, self.names, self.nodes, self.roots = {}, {}, {}, []
        with (gzip.open if path.endswith("gz") else open)(path, "rt", encoding="ascii") as file:
            self.text = file.read()
        end = None
        for at, row in enumerate(json.loads("[%s]" % ",".join(self.text.splitlines()))):
            assert end is None, "something follows the end"
            kind = next(iter(row))
            if at == 0:
                assert kind == "format" and row["version"] == 1
                self.header, self.capture = row, row["capture"]
            elif kind == "t":
                assert row["t"] not in self.types
                self.types[row["t"]] = (row["name"], row["role"])
            elif kind == "k":
                assert row["k"] not in self.names
                self.names[row["k"]] = (row["name"], row["kind"])
            elif kind == "n":
                assert row["n"] not in self.nodes, row
                assert row["t"] in self.types and row["s"] >= 0
                assert all(name in self.names for name in row.get("e", ())[::2])
                self.nodes[row["n"]] = row
            elif kind == "r":
                self.roots.append(row)
            else:
                assert kind == "end", row
                end = row
        edges = [e for node in self.nodes.values() for e in node.get("e", ())[1::2]]
        assert end["nodes"] == len(self.nodes) == self.result["nodes"]
        assert end["edges"] == len(edges) == self.result["edges"]
        assert end["roots"] == len(self.roots) == self.result["roots"]
        assert len(set(edges) - set(self.nodes)) == end["dangling"]
        assert all(root["r"] in self.nodes for root in self.roots)
        os.unlink(path)

    def type(self, number):
        return self.types[self.nodes[number]["t"]][0]

    def edges(self, obj):
        """{name: type of the target, or sorted types} of an object."""
        out = {}
        number = obj if type(obj) is int else id(obj)
        for name, target in self.pairs(number):
            out.setdefault(self.names[name][0], []).append(target)
        return out

    def pairs(self, number):
        e = self.nodes[number].get("e", ())
        return list(zip(e[::2], e[1::2]))

    def shape(self, obj):
        """The edges of an object as sorted text, types left out where a version may choose."""
        out = []
        for name, target in self.pairs(id(obj)):
            name, kind = self.names[name]
            if kind not in ("struct", "weak"):
                out.append("%s %s" % (name, self.type(target)))
            elif kind == "weak":
                out.append("%s %s" % (name, self.type(target) if target in self.nodes else "-"))
        return sorted(out)

    def named(self, type_name):
        return [n for n, row in self.nodes.items() if self.types[row["t"]][0] == type_name]

    def reachable(self, kinds=None):
        """Numbers of what roots of some kinds reach by edges that are not weak."""
        weak = {k for k, (_, kind) in self.names.items() if kind == "weak"}
        pending = [r["r"] for r in self.roots if not r.get("weak_root")
                   and (kinds is None or r["kind"] in kinds)]
        seen = set(pending)
        while pending:
            for name, target in self.pairs(pending.pop()):
                if name not in weak and target not in seen and target in self.nodes:
                    seen.add(target)
                    pending.append(target)
        return seen

    def root_kinds(self, obj):
        number = obj if type(obj) is int else id(obj)
        return sorted({root["kind"] for root in self.roots if root["r"] == number})


def several(number):
    """Captures one after the other; none holds what was read of another."""
    made = []
    for at in range(number):
        path = os.path.join(FOLDER, "several-%d.hdg.gz" % at)
        made.append((path, heapdiff_capture.dump(path)))
    return [Graph(path, result) for path, result in made]


def equal(got, want):
    assert got == want, "\n  got  %r\n  want %r" % (got, want)


# Shapes -------------------------------------------------------------------------------------------

class Plain:
    def __init__(self):
        self.number = 1.5
        self.items = [2.5]
        self.nothing = None


class Parent:
    shared = {"from": "the class"}

    def __init__(self):
        self.base = [1]


class Child(Parent):
    def __init__(self):
        Parent.__init__(self)
        self.own = {"k": []}


class Slotted:
    __slots__ = ("left", "right", "unset")

    def __init__(self):
        self.left, self.right = [1], {2}


class SlottedWithMore(Slotted):
    def __init__(self):
        Slotted.__init__(self)
        self.more = [3]


class Bag(dict):
    def __init__(self):
        dict.__init__(self, key=[1])
        self.tag = [2]


class Sequence(list):
    pass


class Failure(Exception):
    def __init__(self, detail):
        Exception.__init__(self, "message", [0])
        self.detail = detail


Point = collections.namedtuple("Point", "x y")


class Typed(type):
    def __init__(cls, name, bases, namespace):
        type.__init__(cls, name, bases, namespace)
        cls.registry = [name]


class Broker:
    def __init__(self):
        self.last = None

    def run(self):
        kept = {"kept": []}
        try:
            self.fail(kept)
        except ValueError as error:
            self.last = error

    def fail(self, argument):
        raise ValueError([1])


def with_attributes():
    pass


with_attributes.cache = {"a": [1]}


def closure_over(value):
    def inner(default=[0], *, keyword={0}):
        return value, default, keyword
    return inner


class Zoo:
    """One of each; lives in a module, so it is reachable."""


ZOO = Zoo()


def test_names_are_the_same_on_all_versions():
    zoo = ZOO
    zoo.plain, zoo.child, zoo.slotted = Plain(), Child(), Slotted()
    zoo.more, zoo.bag, zoo.point = SlottedWithMore(), Bag(), Point([1], {})
    zoo.sequence = Sequence([[1]])
    zoo.sequence.note = {1}
    zoo.failure = Failure({1})
    zoo.deque = collections.deque([[1]])
    zoo.ordered = collections.OrderedDict(a=[1])
    zoo.default = collections.defaultdict(list, a=[1])
    zoo.closure = closure_over([1])
    zoo.method = zoo.plain.__init__
    zoo.builtin = zoo.sequence.append
    zoo.partial = __import__("functools").partial(closure_over, [1], key={1})
    zoo.cls = Typed("Made", (Parent,), {"attribute": [1]})
    zoo.prop = property(closure_over)
    zoo.numbers = {7: [1], (1, 2): [2], Plain: [3]}
    zoo.set = frozenset([(1.5, 2)])
    zoo.long = [[] for _ in range(66)]
    graph = Graph()
    shape = graph.shape
    equal(shape(zoo.plain), [".items list", ".number float"])
    equal(shape(zoo.child), [".base list", ".own dict"])
    equal(shape(zoo.slotted), [".left list", ".right set"])
    equal(shape(zoo.more), [".left list", ".more list", ".right set"])
    equal(shape(zoo.bag), [".tag list", "<key> str", "[key] list"])
    equal(shape(zoo.sequence), [".note set", "[0] list"])
    equal(shape(zoo.point), [".x list", ".y dict"])
    equal(shape(zoo.failure), [".detail set", "args tuple"])
    equal(shape(zoo.deque), ["[0] list"])
    equal(shape(zoo.default), [".default_factory type", "<key> str", "[a] list"])
    equal(shape(zoo.closure), ["__closure__ tuple", "__defaults__ tuple", "__kwdefaults__ dict"])
    equal(shape(zoo.method), ["__func__ function", "__self__ __main__.Plain"])
    equal(shape(zoo.builtin), ["__self__ __main__.Sequence"])
    equal(shape(zoo.partial), [".args tuple", ".func function", ".keywords dict"])
    equal([edge for edge in shape(zoo.cls) if not edge.startswith(".__")],
          [".attribute list", ".registry list"])
    equal(shape(zoo.prop)[:1], [".fget function"])
    equal(shape(zoo.numbers), ["<key> int", "<key> tuple", "<key> type", "[<int>] list",
                               "[<tuple>] list", "[<type>] list"])
    equal(shape(zoo.set), ["<elem> tuple"])
    equal(collections.Counter(shape(zoo.long))["[] list"], 2)
    equal(shape(with_attributes), [".cache dict"])
    equal(graph.type(id(zoo.cls)), "__main__.Typed")
    cell = zoo.closure.__closure__[0]
    equal(shape(cell), ["cell_contents list"])
    roles = {graph.types[graph.nodes[id(o)]["t"]][1] for o in (zoo.cls, Plain, int)}
    equal(roles, {"type"})
    equal(graph.types[graph.nodes[id(globals())]["t"]], ("dict", "namespace"))
    assert ".ZOO" in graph.edges(globals())
    equal([r["name"] for r in graph.roots if r["r"] == id(sys.modules["__main__"])], ["__main__"])
    # The type of an instance, and what a class is made of, keep them apart from cycles.
    structs = {name for name, kind in graph.names.values() if kind == "struct"}
    assert {"<type>", "__dict__", "__globals__", "__mro__", "f_globals"} <= structs, structs
    # Next to nothing is left without a name, but for what C code hides.
    unnamed = sum(1 for n in graph.nodes for name, _ in graph.pairs(n)
                  if graph.names[name][0] == "")
    assert unnamed < graph.result["edges"] / 50, unnamed
    vars(zoo).clear()


def test_the_cycle_of_a_stored_exception():
    broker = Broker()
    broker.run()
    gc.collect()
    graph = Graph()
    step = graph.edges(broker)
    error, = step[".last"]
    trace, = graph.edges(error)["__traceback__"]
    frame, = graph.edges(trace)["tb_frame"]
    equal(graph.edges(frame)["local:self"], [id(broker)])
    equal(graph.nodes[frame]["l"], "run")
    assert graph.nodes[trace]["l"].startswith("python.py:"), graph.nodes[trace]
    assert "local:kept" in graph.edges(frame) and "f_back" in graph.edges(frame)
    inner, = graph.edges(trace)["tb_next"]
    inner, = graph.edges(inner)["tb_frame"]
    equal(sorted(k for k in graph.edges(inner) if k.startswith("local:")),
          ["local:argument", "local:self"])
    equal([graph.type(n) for n in graph.edges(frame)["local:kept"]], ["dict"])
    for number in (error, trace, frame, inner):
        assert "" not in graph.edges(number), graph.edges(number)


def test_exceptions_name_what_they_keep():
    try:
        try:
            raise KeyError([1])
        except KeyError as first:
            raise Failure(2) from first
    except Failure as error:
        graph = Graph()
        equal(graph.root_kinds(error), ["thread"] if sys.exc_info()[1] is error else None)
        shape = graph.shape(error)
    names = [edge.split()[0] for edge in shape]
    equal(names, [".detail", "__cause__", "__context__", "__traceback__", "args"])


# Not changed by being looked at -------------------------------------------------------------------

def test_captures_at_rest_are_equal():
    several(2)
    gc.disable()
    try:
        rows = [None] * 4
        for at in range(4):
            result = heapdiff_capture.dump(os.path.join(FOLDER, "again.hdg"), gc="none")
            rows[at] = "%(nodes)d %(edges)d %(roots)d" % result
            result = None
    finally:
        gc.enable()
    # `rows` itself goes from None to a string that was None before, once a step.
    counts = [[int(word) for word in row.split()] for row in rows]
    steps = [[b - a for a, b in zip(one, two)] for one, two in zip(counts, counts[1:])]
    equal(steps[1:], [[1, 1, 0], [1, 1, 0]])


def test_nothing_is_left_behind():
    heapdiff_capture.dump(os.path.join(FOLDER, "left.hdg"))
    gc.collect()
    gc.disable()
    try:
        heapdiff_capture.dump(os.path.join(FOLDER, "left.hdg"), gc="none")
        before = len(gc.get_objects())
        for _ in range(3):
            heapdiff_capture.dump(os.path.join(FOLDER, "left.hdg"), gc="none")
        equal(len(gc.get_objects()), before)
    finally:
        gc.enable()
    equal(gc.collect(), 0)


def test_instances_get_no_dictionary():
    if sys.version_info < (3, 11):
        return  # they always have one
    many = [Plain() for _ in range(20)] + [Child()]
    for obj in many:
        assert not any(type(ref) is dict and "items" in ref for ref in gc.get_referents(obj))
    size = sys.getsizeof(many[0])
    graph = Graph()
    for obj in many:
        assert not any(type(ref) is dict and "items" in ref for ref in gc.get_referents(obj))
    equal(sys.getsizeof(many[0]), size)
    equal(graph.shape(many[3]), [".items list", ".number float"])


def test_names_that_no_code_spells():
    many = []
    for at in range(30):
        obj = Zoo()
        for part in range(3):
            setattr(obj, "%s_%d" % ("zo" + "o", part), [at])
        many.append(obj)
    first, second = several(2)
    for graph in (first, second):
        equal(graph.shape(many[7]), [".zoo_0 list", ".zoo_1 list", ".zoo_2 list"])
    assert "materialised" not in second.capture, second.capture
    if sys.version_info >= (3, 11):
        told = [obj for obj in many if any(type(r) is dict for r in gc.get_referents(obj))]
        assert len(told) <= 1, "more than one instance was asked for its dictionary"


def test_local_variables_are_not_kept_by_the_capture():
    class Held:
        pass

    held = Held()
    ref = weakref.ref(held)
    Graph()
    del held
    assert ref() is None, "the capture keeps a local variable of a running frame"

    def keep(value):
        raise KeyError

    error = None
    try:
        keep(Held())
    except KeyError as caught:
        error = caught
    inner = error.__traceback__.tb_next.tb_frame
    ref = weakref.ref(inner.f_locals["value"])
    graph = Graph()
    if sys.version_info < (3, 13):
        assert id(inner.f_locals) not in graph.nodes, "shows the copy that f_locals makes"
    graph = None
    error.__traceback__.tb_next.tb_frame.clear()
    assert ref() is None or sys.version_info < (3, 13), "a cleared frame keeps its variables"

    def steps(value):
        yield value

    generator = steps(Held())
    ref = weakref.ref(next(generator))
    graph = Graph()
    equal(graph.shape(generator), ["local:value __main__.test_local_variables_are_not_kept_by_the_"
                                   "capture.<locals>.Held"])
    del generator
    assert ref() is None, "a finished generator keeps its variables"


def test_a_snapshot_of_locals_stays_whole():
    def work():
        one, two = [1], 2
        snapshot = locals()
        return snapshot, sys._getframe()

    snapshot, frame = work()
    want = dict(snapshot)
    Graph()
    equal({k: snapshot[k] for k in ("one", "two")}, {k: want[k] for k in ("one", "two")})
    del frame


def test_the_collector_is_as_before():
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        for mode in ("full", "none", "saveall"):
            flags, threshold = gc.get_debug(), gc.get_threshold()
            Graph(gc=mode)
            equal((gc.isenabled(), gc.get_debug(), gc.get_threshold(), gc.garbage),
                  (enabled, flags, threshold, []))
    gc.enable()
    try:
        heapdiff_capture.dump(os.path.join(FOLDER, "no", "such", "folder.hdg"))
        assert False, "wrote into nowhere"
    except OSError:
        assert gc.isenabled()


def test_a_failed_write_leaves_no_file():
    target = os.path.join(FOLDER, "target")
    os.mkdir(target)
    try:
        heapdiff_capture.dump(target)
        assert False, "a folder was replaced"
    except OSError:
        pass
    equal(os.listdir(target), [])
    os.rmdir(target)
    equal([name for name in os.listdir(FOLDER) if "part" in name], [])


# No code of the program runs ----------------------------------------------------------------------

class Hostile(dict):
    """Everything that can be overridden raises."""
    def boom(self, *args, **kwargs):
        raise SystemError("code of the program was run")

    __getattribute__ = __getattr__ = __iter__ = __len__ = __repr__ = __str__ = boom
    __hash__ = __eq__ = __bool__ = __sizeof__ = __contains__ = __getitem__ = __dir__ = boom
    items = keys = values = get = __reduce_ex__ = __instancecheck__ = __format__ = boom


class HostileList(list):
    __iter__ = __len__ = __getitem__ = __sizeof__ = __bool__ = __eq__ = Hostile.boom
    __hash__ = None


class HostileMeta(type):
    def __getattribute__(cls, name):
        raise SystemError("code of the program was run")

    __hash__ = __eq__ = __repr__ = __call__ = __instancecheck__ = __subclasscheck__ = Hostile.boom
    __len__ = __bool__ = __iter__ = Hostile.boom


class Liar:
    @property
    def __class__(self):
        raise SystemError("code of the program was run")

    @property
    def value(self):
        raise SystemError("code of the program was run")

    def __init__(self):
        self.kept = [1]


class Lazy:
    """A value that is made when it is first asked for, and kept under the same name."""
    calls = 0

    class Once:
        def __init__(self, name):
            self.name = name

        def __get__(self, obj, cls):
            Lazy.calls += 1
            return 1

    answer = Once("answer")

    def __init__(self):
        self.real = [1]


def test_no_code_of_the_program_runs():
    hostile = dict.__new__(Hostile)
    dict.__setitem__(hostile, "key", [1])
    object.__setattr__(hostile, "tag", [2])
    sequence = HostileList([[1]])
    meta = HostileMeta.__new__(HostileMeta, "Meta", (), {"attribute": [1]})
    instance = object.__new__(meta)
    liar, lazy = Liar(), Lazy()
    keep = [hostile, sequence, meta, instance, liar, lazy]
    graph = Graph()
    equal(graph.shape(hostile), [".tag list", "<key> str", "[key] list"])
    equal(graph.shape(sequence), ["[0] list"])
    assert ".attribute" in graph.edges(meta)
    equal(graph.type(id(liar)), "__main__.Liar")
    equal(graph.shape(liar), [".kept list"])
    equal(graph.shape(lazy), [".real list"])
    equal(Lazy.calls, 0)
    assert graph.nodes[id(hostile)]["s"] >= dict.__sizeof__({})
    del keep[:]


def test_a_type_name_that_is_no_text():
    odd = type("Odd", (), {"__module__": 7})
    obj = odd()
    graph = Graph()
    equal(graph.type(id(obj)), "Odd")
    strange = type("Str\u00e4nge \"x\"\n\U0001f40d", (), {"__module__": "m"})
    obj = strange()
    graph = Graph()
    equal(graph.type(id(obj)), "m.Str\u00e4nge \"x\"\n\U0001f40d")


# Garbage, and what C code holds -------------------------------------------------------------------

def dropped():
    broker = Broker()
    broker.run()
    return id(broker)


def test_garbage_that_waits():
    gc.collect()
    gc.disable()
    try:
        numbers = [dropped() for _ in range(3)]
        graph = Graph(gc="none")
        reachable = graph.reachable()
        brokers = graph.named("__main__.Broker")
        equal(sorted(brokers), sorted(numbers))
        for number in brokers:
            assert number not in reachable, "garbage looks reachable"
        equal(graph.capture["gc_enabled"], False)
        equal(len(graph.named("__main__.Broker")), 3)
        graph = None
    finally:
        gc.enable()
    assert gc.collect() > 0
    equal(Graph().named("__main__.Broker"), [])


def test_saveall_is_exact_and_clears_up():
    gc.collect()
    gc.disable()
    finished = []

    class Finished(Broker):
        def __del__(self):
            finished.append(1)

    try:
        own = [1]
        gc.garbage.append(own)
        broker = Finished()
        broker.run()
        del broker
        dropped()
        graph = Graph(gc="saveall")
        saved = [r["r"] for r in graph.roots if r["kind"] == "uncollected"]
        kinds = collections.Counter(graph.type(n) for n in saved)
        kinds.pop("dict", None)
        name = "__main__.test_saveall_is_exact_and_clears_up.<locals>.Finished"
        equal(kinds[name], 1)
        equal(kinds["__main__.Broker"], 1)
        equal((kinds["ValueError"], kinds["traceback"], kinds["frame"]), (2, 4, 5))  # four frames, and that of dropped(), which called one
        assert all(r["weak_root"] for r in graph.roots if r["kind"] == "uncollected")
        assert graph.capture["gc_collected"] >= len(saved) - 2
        equal(graph.root_kinds(own), ["garbage"])
        equal(gc.garbage, [own])
        del gc.garbage[:]
        graph = None
        again = Graph(gc="saveall")  # they are alive again until they are collected
        equal(len(again.named("__main__.Broker")), 1)
        again = None
        equal(finished, [1])
    finally:
        gc.enable()
    assert gc.collect() > 0
    equal(finished, [1])


def test_what_c_code_holds_is_no_garbage():
    local = threading.local()
    local.held = Plain()
    variable = __import__("contextvars").ContextVar("variable")
    variable.set(Plain())
    graph = Graph(gc="none")
    held = graph.named("__main__.Plain")
    equal(len(held), 2)
    reachable, without = graph.reachable(), graph.reachable({"module", "frame", "thread"})
    for number in held:
        assert number in reachable, "what C code holds looks like garbage"
    assert any(number not in without for number in held)


def test_frozen_objects_are_found_through_roots():
    if not hasattr(gc, "freeze"):
        return
    ZOO.frozen = Plain()
    gc.collect()
    gc.freeze()
    try:
        graph = Graph()
        assert graph.capture["frozen"] > 1000
        equal(graph.shape(ZOO.frozen), [".items list", ".number float"])
    finally:
        gc.unfreeze()
        del ZOO.frozen


# Stacks, threads, generators ----------------------------------------------------------------------

def test_frames_of_all_threads():
    stop, ready = threading.Event(), threading.Event()

    def attend(argument):
        inner = {"inner": [1]}
        ready.set()
        stop.wait()
        del inner

    thread = threading.Thread(target=attend, args=([1],), name="worker 1")
    thread.start()
    ready.wait()
    time.sleep(0.05)
    mine = [1]
    graph = Graph()
    stop.set()
    thread.join()
    names = [r["name"] for r in graph.roots if r["kind"] == "frame"]
    assert any(name.startswith("worker 1#") and name.endswith(" attend") for name in names), names
    assert "MainThread#1 test_frames_of_all_threads" in names, names
    frame, = [r["r"] for r in graph.roots if r["kind"] == "frame" and r["name"].endswith(" attend")]
    edges = graph.edges(frame)
    equal(sorted(k for k in edges if k.startswith("local:"))[:2], ["local:argument", "local:inner"])
    here, = [r["r"] for r in graph.roots if r["kind"] == "frame"
             and r["name"].endswith("test_frames_of_all_threads")]
    equal(graph.edges(here)["local:mine"], [id(mine)])
    assert graph.capture["settled"] is True, graph.capture
    assert "worker 1" in [r["name"] for r in graph.roots if r["kind"] == "thread"]
    assert not any("dump" in name for name in names), "shows its own frame"


def test_a_thread_that_runs_is_told():
    stop = []

    def spin():
        while not stop:
            sum(range(100))

    thread = threading.Thread(target=spin, name="busy")
    thread.start()
    stderr, sys.stderr = sys.stderr, __import__("io").StringIO()
    try:
        graph = Graph()
        said = sys.stderr.getvalue()
    finally:
        sys.stderr = stderr
        stop.append(1)
        thread.join()
    equal(graph.capture["settled"], False)
    told, = graph.capture["unsettled"]
    assert told in ("thread busy ran during the capture",
                    "another thread ran during the capture"), told
    equal(said.count("\n"), 1)


def test_work_that_waits_is_told():
    import queue
    held = queue.Queue()
    for number in range(3):
        held.put(number)
    stderr, sys.stderr = sys.stderr, __import__("io").StringIO()
    try:
        graph = Graph(settle=held.empty, settle_timeout=0.02)
        equal(graph.capture["unsettled"],
              ["settle() did not hold within 0.02 s", "3 waiting in queue.Queue"])
        while not held.empty():
            held.get()
        graph = Graph(settle=held.empty)
        equal((graph.capture["settled"], graph.result["unsettled"]), (True, []))
        simple = queue.SimpleQueue()
        simple.put(1)
        equal(Graph().capture["unsettled"], ["1 waiting in _queue.SimpleQueue"])
        del simple
    finally:
        sys.stderr = stderr


def test_generators_and_coroutines():
    def numbers(first):
        second = [2]
        yield from more(second)

    def more(argument):
        yield argument

    async def leaf(argument):
        await Wait()

    async def branch(argument):
        await leaf(argument)

    async def stream(argument):
        yield argument

    class Wait:
        def __await__(self):
            yield

    generator, coroutine, asyncs = numbers([1]), branch([1]), stream([1])
    fresh, closed = numbers([1]), numbers([1])
    next(generator)
    coroutine.send(None)
    closed.close()
    captures = several(2)
    for graph in captures:
        equal(graph.shape(generator),
              ["gi_yieldfrom generator", "local:first list", "local:more cell",
               "local:second list"])
        equal(graph.shape(coroutine),
              ["cr_await coroutine", "local:argument list", "local:leaf cell"])
        equal(graph.shape(asyncs), ["local:argument list"])
        assert "local:first list" in graph.shape(fresh)
        if sys.version_info < (3, 12):  # later, one that never ran keeps its arguments
            equal(graph.shape(closed), [])
        for obj in (generator, coroutine, asyncs):
            for frame in ("gi_frame", "cr_frame", "ag_frame"):
                assert id(getattr(obj, frame, None)) not in graph.nodes, "a frame is shown twice"
    coroutine.close()


def test_a_running_generator():
    def capture():
        value = [1]
        yield Graph()
        del value

    graph = next(capture())
    name, = [r for r in graph.roots if r["name"].endswith(" capture")]
    assert "local:value" in graph.edges(name["r"])


# References of other kinds ------------------------------------------------------------------------

def test_weak_references_keep_nothing():
    gc.collect()
    gc.disable()
    try:
        obj = Plain()
        obj.me = obj
        ZOO.ref, ZOO.proxy = weakref.ref(obj), weakref.proxy(obj)
        ZOO.table = weakref.WeakValueDictionary(a=obj)
        number = id(obj)
        del obj
        graph = Graph(gc="none")
        weak = [graph.names[n] for n, target in graph.pairs(id(ZOO.ref)) if target == number]
        equal(weak, [("<weak>", "weak")])
        assert number in graph.nodes and number not in graph.reachable()
        vars(ZOO).clear()
    finally:
        gc.enable()


def test_a_dictionary_that_others_see_too():
    obj = Plain()
    other = Zoo()
    other.taken = obj.__dict__
    graph = Graph()
    equal(graph.edges(other)[".taken"], [id(obj.__dict__)])
    edges = graph.edges(obj)
    assert ".items" in edges, edges
    both = graph.nodes[id(obj)]["s"] + graph.nodes[id(obj.__dict__)]["s"]
    assert both <= sys.getsizeof(obj) + sys.getsizeof(obj.__dict__)


def test_sizes_count_the_dictionary_once():
    if sys.version_info >= (3, 11):
        return
    obj = Plain()
    graph = Graph()
    equal(graph.nodes[id(obj)]["s"], sys.getsizeof(obj) + sys.getsizeof(obj.__dict__))
    assert id(obj.__dict__) not in graph.nodes


# Privacy, and names that must stay few ------------------------------------------------------------

def test_values_stay_private():
    secret = "".join(["hunter", "2"])
    obj = Zoo()
    obj.text, obj.raw = secret, secret.encode()
    obj.table = {secret: [secret]}
    obj.number = 987654321 * 7
    obj.error = ValueError(secret)
    quiet = Graph(label="a \"label\"", run=3, items=30, workload="w")
    assert secret not in quiet.text and str(obj.number) not in quiet.text
    assert '"v"' not in quiet.text
    equal(quiet.shape(obj.table), ["<key> str", "[<str>] list"])
    equal((quiet.capture["run"], quiet.capture["items"], quiet.capture["label"]),
          (3, 30, "a \"label\""))
    loud = Graph(values=True)
    assert secret in loud.text and str(obj.number) in loud.text
    equal(loud.shape(obj.table), ["<key> str", "[hunter2] list"])
    assert "run" not in loud.capture
    keys = {"spelled": [1]}
    equal(Graph().shape(keys), ["<key> str", "[spelled] list"])


def test_names_stay_few():
    obj, table = Zoo(), {}
    for number in range(3000):
        setattr(obj, "name_%d" % number, [number])
        table["key_%d" % number] = [number]
    graph = Graph()
    equal(len(graph.edges(table)), 2)
    assert len(graph.edges(obj)) <= 514, len(graph.edges(obj))
    assert len(graph.names) < 12000, len(graph.names)


# Size ---------------------------------------------------------------------------------------------

def test_deep_and_wide():
    deep = []
    for _ in range(50000):
        deep = [deep]
    wide = [[] for _ in range(30000)]
    graph = Graph()
    equal(len(graph.pairs(id(wide))), 30000)
    assert graph.result["nodes"] > 80000
    while deep:
        deep = deep[0]


def test_arguments():
    for options in ({"gc": "some"}, {"gc": None}):
        try:
            heapdiff_capture.dump(os.path.join(FOLDER, "x"), **options)
            assert False, options
        except ValueError:
            pass
    for path in (os.path.join(FOLDER, "plain.hdg").encode(), __import__("pathlib").Path(
            FOLDER, "plain.hdg")):
        heapdiff_capture.dump(path)
        with open(path, "rb") as file:
            assert file.read(10) == b'{"format":'
        os.unlink(path)


def test_with_an_event_loop():
    import asyncio

    async def main(graphs):
        waiting = asyncio.ensure_future(asyncio.sleep(30))
        await asyncio.sleep(0.01)
        graphs.append(Graph())
        waiting.cancel()

    graphs = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main(graphs))
    loop.close()
    graph, = graphs
    assert [r for r in graph.roots if r["kind"] == "frame" and r["name"].endswith(" main")]
    assert any("local:graphs" in graph.edges(r["r"]) for r in graph.roots if r["kind"] == "frame")


def main(names):
    failed = 0
    tests = [(name, test) for name, test in list(globals().items()) if name.startswith("test_")]
    for name, test in tests:
        if names and name not in names:
            continue
        began = time.time()
        try:
            test()
            print("ok %s %.1f s" % (name, time.time() - began), flush=True)
        except Exception:
            failed += 1
            print("FAILED", name, flush=True)
            __import__("traceback").print_exc()
    print("%d passed, %d failed, CPython %s"
          % (len(names or tests) - failed, failed, sys.version.split()[0]))
    return failed


if __name__ == "__main__":
    status = main(sys.argv[1:])
    __import__("shutil").rmtree(FOLDER)
    sys.exit(status != 0)
