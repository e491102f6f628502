"""What a check keeps resident, by the kernel's own count: python3 oracle.py

The engine asks for 21,179 bytes a check (../rules-engine/truth.json); the allocator's rounding and
the pools of small objects come on top. A report keeps nothing, but leaves holes behind.
"""
import http.client
import os
import subprocess
import sys
import time

PORT = 8731


def hit(path, times):
    for _ in range(times):
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()


def resident(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024


server = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules.py"), str(PORT)])
time.sleep(1)
for path, times in [("/check/1", 200), ("/report/1", 20), ("/health", 50), ("/rules", 50)]:
    hit(path, times)
for path, times in [("/check/1", 2000), ("/report/1", 500), ("/rules", 1000)]:
    before = resident(server.pid)
    hit(path, times)
    print(path.split("/")[1], round((resident(server.pid) - before) / times))
server.terminate()
