import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Loads a plugin again with every run, each time with a loader of its own, and with one planted
 * fault: what was unloaded stays in a list of listeners, and with it its class and its loader.
 *
 *   java Plugins faulty|cured RUNS...      RUNS: after which numbers of runs to stop for a dump
 */
public class Plugins {
    static final List<Object> LISTENERS = new ArrayList<>();

    /** A loader for each deployment. */
    static class PluginLoader extends URLClassLoader {
        PluginLoader(URL[] where) {
            super(where, null);
        }
    }

    public static void main(String[] args) throws Exception {
        boolean cured = args[0].equals("cured");
        URL[] where = {Path.of("plugin/").toUri().toURL()};
        int done = 0;
        for (int i = 1; i < args.length; i++) {
            for (int stop = Integer.parseInt(args[i]); done < stop; done++) {
                Object plugin = new PluginLoader(where).loadClass("Plugin").getDeclaredConstructor().newInstance();
                LISTENERS.add(plugin);
                plugin.toString();
                if (cured) {
                    LISTENERS.remove(plugin);
                }
            }
            System.gc();
            System.out.println("at " + done);
            System.in.read();
        }
    }
}
