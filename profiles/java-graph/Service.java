import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A small shop with one planted fault and three innocents.
 *
 * java Service faulty|cured RUNS... runs as many visits, says so on one line, and waits for a line
 * on standard input before it goes on: meanwhile its heap can be dumped.
 */
public class Service {
    /** The fault: sessions are entered under their number and taken out when they close, if cured. */
    static final Map<Integer, Session> OPEN = new HashMap<>();

    static final class Item {
        final int number;
        final long[] notes = new long[16];

        Item(int number) {
            this.number = number;
        }
    }

    static final class Session {
        final int id;
        final List<Item> basket = new ArrayList<>();

        Session(int id) {
            this.id = id;
            for (int i = 0; i < 20; i++) {
                basket.add(new Item(i));
            }
        }
    }

    /** Innocent 1: a cache with a bound, full after four runs. */
    static final class Price {
        final int key;
        final long[] history = new long[8];

        Price(int key) {
            this.key = key;
        }
    }

    static final class PriceCache extends LinkedHashMap<Integer, Price> {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Price> eldest) {
            return size() > 64;
        }
    }

    /** Innocent 2: a doubly linked list of fixed length. */
    static final class Visit {
        Visit before;
        Visit after;
    }

    /** Innocent 3: a tree whose nodes know their parents. */
    static final class Category {
        final Category parent;
        final List<Category> children = new ArrayList<>();

        Category(Category parent, int depth) {
            this.parent = parent;
            for (int i = 0; depth > 0 && i < 5; i++) {
                children.add(new Category(this, depth - 1));
            }
        }
    }

    static final PriceCache PRICES = new PriceCache();
    static final Category ROOT = new Category(null, 3);
    static final Visit FIRST = new Visit();
    static int key;

    static void visit(int id, boolean cured) {
        Session session = new Session(id);
        OPEN.put(id, session);
        for (int i = 0; i < 20; i++) {
            PRICES.put(key, new Price(key));
            key++;
        }
        if (cured) {
            OPEN.remove(id);
        }
    }

    public static void main(String[] arguments) throws Exception {
        boolean cured = arguments[0].equals("cured");
        Visit last = FIRST;
        for (int i = 1; i < 100; i++) {
            Visit next = new Visit();
            next.before = last;
            last.after = next;
            last = next;
        }
        int done = 0;
        for (int i = 1; i < arguments.length; i++) {
            int stop = Integer.parseInt(arguments[i]);
            for (; done < stop; done++) {
                visit(1000 + done, cured);
            }
            System.out.println("runs " + done);
            System.out.flush();
            if (System.in.read() < 0) {
                return;
            }
        }
    }
}
