import java.util.*;
public class Big { static final Map<Integer,Object[]> ALL=new HashMap<>(); static final class R{long a;int b;R next;String s;}
 public static void main(String[] x) throws Exception{int n=Integer.parseInt(x[0]);R last=null;for(int i=0;i<n;i++){R r=new R();r.next=last;r.s=Integer.toString(i);last=r;ALL.put(i,new Object[]{r,i});}
 ((com.sun.management.HotSpotDiagnosticMXBean)java.lang.management.ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class)).dumpHeap(x[1],true);System.out.println(ALL.size());}}
