"""A coprocess that says what a test tells it to, and writes down what it is asked. Run by PowerDNS with its folder.

It speaks whichever protocol it is asked in. ``script.json`` in the folder has ``told``, pairs of a pattern and an
action: the first pair whose pattern fits the request (``lookup www.e.test. ANY``, ``Q www.e.test IN ANY …``) says what
happens, instead of the usual answer. An action is text to write, with the line feeds; or ``exit``, ``hang`` or
``late``; ``once:`` in front of it means that it happens once, for all processes together. ``asked`` in the folder gets
the lines ``PID REQUEST``, ``raw`` the requests as they came, ``arguments`` the command. With ``--listen PATH`` behind
the folder it serves a unix socket.
"""

import json
import os
import re
import socket
import sys
import time

SOA = "ns1.e.test hostmaster.e.test 1 10800 3600 604800 60"
RECORDS = [
    ("e.test", "SOA", SOA),
    ("e.test", "NS", "ns1.e.test"),
    ("ns1.e.test", "A", "127.0.0.1"),
    ("www.e.test", "A", "192.0.2.80"),
    ("mail.e.test", "MX", "10 mx.elsewhere.test"),
    ("sub.e.test", "NS", "ns.sub.e.test"),
    ("ns.sub.e.test", "A", "192.0.2.54"),
    ("x.ent.e.test", "A", "192.0.2.1"),
    ("*.wild.e.test", "A", "192.0.2.2"),
]
INSIDE = ("sub.e.test", "ns.sub.e.test")  # not authoritative
ID = 7
NOTHING = ("getTSIGKey", "getTSIGKeys", "getUpdatedMasters", "getUnfreshSlaveInfos", "superMasterBackend")


def main(folder, stdin, stdout):
    with open(os.path.join(folder, "script.json")) as file:
        script = json.load(file)
    for line in stdin:
        request = line.decode("utf-8", "surrogateescape").rstrip("\n")
        words = short(request)
        with open(os.path.join(folder, "asked"), "a") as log:
            log.write(f"{os.getpid()} {words.encode('unicode_escape').decode()}\n")
        with open(os.path.join(folder, "raw"), "ab") as log:
            log.write(line)
        answer = told(folder, script, words)
        if answer is None:
            answer = usual(request, script)
        if answer == "exit":
            return
        if answer == "hang":
            time.sleep(3600)
        if answer == "late":
            time.sleep(script["late"])
            answer = usual(request, script)
        stdout.write(answer.encode())
        stdout.flush()


def usual(request, script):
    return remote(request, script) if request.startswith("{") else pipe(request, script)


def short(request):
    if not request.startswith("{"):
        return request.replace("\t", " ")
    asked = json.loads(request)
    given = asked["parameters"]
    first = [given[key] for key in ("qname", "name", "zonename", "domain", "query") if key in given]
    rest = [given[key] for key in ("qtype", "kind") if key in given]
    if "rr" in given:
        rest = [given["rr"]["qname"], given["rr"]["qtype"]]
    return " ".join([asked["method"], *first[:1], *rest])


def told(folder, script, words):
    for number, (pattern, action) in enumerate(script["told"]):
        if not re.search(pattern, words):
            continue
        if not action.startswith("once:"):
            return action
        try:
            os.close(os.open(os.path.join(folder, f"happened-{number}"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return action[5:]
    return None


def found(name, type_):
    name = name.rstrip(".").lower()
    return [record for record in RECORDS if record[0] == name and type_ in ("ANY", record[1])]


def pipe(request, script):
    fields = request.split("\t")
    if fields[0] == "HELO":
        script["abi"] = int(fields[1])
        return "OK\tscripted\n"
    if fields[0] == "AXFR":
        records = RECORDS
    elif fields[0] == "Q":
        records = found(fields[1], fields[3])
    else:
        return "END\n"
    return "".join(data(script, *record) for record in records) + "END\n"


def data(script, name, type_, content, ttl="60"):
    front = f"0\t{int(name not in INSIDE)}\t" if script["abi"] > 2 else ""
    tabbed = content.replace(" ", "\t", 1) if type_ in ("MX", "SRV") else content
    return f"DATA\t{front}{name}\tIN\t{type_}\t{ttl}\t{ID}\t{tabbed}\n"


def remote(request, script):
    asked = json.loads(request)
    method, given = asked["method"], asked["parameters"]
    info = {"zone": "e.test", "id": ID, "kind": "native", "serial": 1, **script["info"]}
    results = {
        "list": as_json(RECORDS),
        "getAllDomains": [info],
        "getDomainKeys": script["keys"] or False,
        "getAllDomainMetadata": script["metadata"],
        "getBeforeAndAfterNamesAbsolute": {"unhashed": "", "before": "", "after": "zzz"},
        **dict.fromkeys(NOTHING, False),
    }
    result = results.get(method, True)
    if method in ("lookup", "APILookup"):
        result = as_json(found(given["qname"], given["qtype"]))
    elif method == "getDomainInfo":
        result = info if given["name"].rstrip(".").lower() == "e.test" else False
    elif method == "getDomainMetadata":
        result = script["metadata"].get(given["kind"], False)
    return json.dumps({"result": result}) + "\n"


def as_json(records):
    return [
        {"qname": name, "qtype": type_, "content": content, "ttl": 60, "domain_id": ID, "auth": int(name not in INSIDE)}
        for name, type_, content in records
    ]


def listen(folder, path):
    """One connection at a time is not enough for PowerDNS: a process for each."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(64)
        while True:
            peer = server.accept()[0]
            if os.fork() == 0:
                main(folder, peer.makefile("rb", buffering=0), peer.makefile("wb"))
                os._exit(0)
            peer.close()


if __name__ == "__main__":
    if sys.argv[2:3] == ["--listen"]:
        listen(sys.argv[1], sys.argv[3])
    with open(os.path.join(sys.argv[1], "arguments"), "w") as file:
        json.dump(sys.argv[2:], file)
    main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
