import java.io.File;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.graalvm.visualvm.lib.jfluid.heap.Heap;
import org.graalvm.visualvm.lib.jfluid.heap.HeapFactory;
import org.graalvm.visualvm.lib.jfluid.heap.HeapSummary;
import org.graalvm.visualvm.lib.jfluid.heap.JavaClass;

/** Objects and bytes of the largest classes by VisualVM's heap library; with "retained" also what they keep. */
class VisualVm {
    public static void main(String[] args) throws Exception {
        Heap heap = HeapFactory.createHeap(new File(args[0]));
        boolean retained = args.length > 1 && args[1].equals("retained");
        HeapSummary all = heap.getSummary();
        System.out.println(all.getTotalLiveInstances() + " objects, " + all.getTotalLiveBytes() + " bytes");
        List<JavaClass> classes = new ArrayList<>(heap.getAllClasses());
        classes.sort(Comparator.comparingLong(c -> -(long) c.getInstancesCount()));
        for (JavaClass c : classes.subList(0, Math.min(8, classes.size()))) {
            String more = retained ? " " + c.getRetainedSizeByClass() : "";
            System.out.println(c.getName() + " " + c.getInstancesCount() + " " + c.getAllInstancesSize() + more);
        }
    }
}
