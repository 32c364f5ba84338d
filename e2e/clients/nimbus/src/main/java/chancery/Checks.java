package chancery;

/** One line per check and a line of totals at the end. */
final class Checks {
    /** What is checked; it returns what was seen, or null. */
    interface Act {
        Object run() throws Exception;
    }

    private final String fixture;
    private int passed;
    private int failed;

    Checks(String fixture) {
        this.fixture = fixture;
    }

    void check(String name, Act act) {
        try {
            var seen = act.run();
            passed++;
            say("ok     ", name, seen == null ? "" : " (" + seen + ")");
        } catch (Exception | AssertionError why) {
            failed++;
            say("FAILED ", name, ": " + why + (why.getCause() == null ? "" : ", " + why.getCause()));
        }
    }

    static void expect(boolean good, String what) {
        if (!good) {
            throw new AssertionError("not so: " + what);
        }
    }

    /** They are equal; what was seen. */
    static Object same(Object wanted, Object seen) {
        expect(wanted.equals(seen), wanted + " and not " + seen);
        return seen;
    }

    /** Without any handle in it: what a client holds does not belong into a log. */
    private void say(String outcome, String name, String detail) {
        var line = outcome + fixture + ", Nimbus: " + name + detail;
        System.out.println(line.replaceAll("\\b(ac|at|in|rt|se)_[\\w-]{46,}", "$1_…"));
    }

    /** The line of totals; the exit status. */
    int close() {
        System.out.println(passed + " passed, " + failed + " failed");
        return failed > 0 ? 1 : 0;
    }
}
