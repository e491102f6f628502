/** A plugin with some state of its own. */
public class Plugin {
    static final byte[] TABLE = new byte[4096];
    final Part[] parts = new Part[4];

    public Plugin() {
        for (int i = 0; i < parts.length; i++) {
            parts[i] = new Part();
        }
    }

    static class Part {
        final long[] values = new long[16];
    }
}
