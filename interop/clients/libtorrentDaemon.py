#!/usr/bin/python3
"""libtorrent 2.0 as a line-protocol daemon, for the interop tests and the benchmark.

Requests are JSON objects, one a line, on stdin: {"id": 1, "cmd": "add", ...}.
Each is answered on stdout by {"id": 1, "ok": true, ...} or {"id": 1, "error": "..."}.
Between answers come events: {"event": "finished", "torrent": 0}, one a line, the moment libtorrent posts the alert.
Loopback only: no DHT, LSD, UPnP, NAT-PMP, uTP or encryption, so that what is compared is plain TCP - unless the settings
of `start` say otherwise, and `add` is told that the torrent is `discoverable`.

Commands
  start       port, settings {name: value}            -> port
  add         source (.torrent path, magnet or resume file), savePath, peers [[host, port]], seedMode, paused, sequential,
              ssl {certificate, privateKey, dhParams} (paths),
              uploadLimit, downloadLimit (bytes/s)     -> torrent
  addMany     directory of .torrent files, savePath, seedMode -> count, seconds (until every add is confirmed)
  settings    settings {name: value}
  connect     torrent, host, port, flags (of peer exchange: 1 for a peer that is tried encrypted first)
  encryption  torrent -> encryption of the connection to its one peer: none, plaintext or rc4
  status      torrent  -> state, progress, uploaded, downloaded, peers, pieces (a string of 0 and 1)
  limits      torrent, uploadLimit, downloadLimit
  pause, resume, remove  torrent
  recheck     torrent; the 'checked' event tells its end
  saveResume  torrent, path
  parse       path -> seconds, files (time of one torrent_info(path))
  quit
"""

import json
import os
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)

import libtorrent as lt  # noqa: E402

LOOPBACK_SETTINGS = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_outgoing_utp": False,
    "enable_incoming_utp": False,
    "out_enc_policy": 2,
    "in_enc_policy": 2,
    "allow_multiple_connections_per_ip": True,
    "min_reconnect_time": 1,
    "max_failcount": 100,
    "ssrf_mitigation": False,
    "alert_queue_size": 100000,
    "active_downloads": -1,
    "active_seeds": -1,
    "active_limit": 100000,
    "active_checking": 4,
}


class Daemon:
    def __init__(self):
        self.session = None
        self.torrents = []
        self.index_by_handle = {}
        self.resume_paths = {}
        self.flushing = {}
        self.added = 0
        self.added_changed = threading.Condition()
        self.output = threading.Lock()
        self.adding = threading.Lock()

    def say(self, message):
        with self.output:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    # Requests

    def start(self, request):
        settings = dict(LOOPBACK_SETTINGS)
        settings["listen_interfaces"] = "127.0.0.1:%d" % request.get("port", 0)
        category = lt.alert.category_t
        settings["alert_mask"] = (
            category.error_notification
            | category.status_notification
            | category.storage_notification
            | category.connect_notification
        )
        settings.update(request.get("settings", {}))
        self.session = lt.session(settings)
        threading.Thread(target=self.alert_loop, daemon=True).start()
        return {"port": self.session.listen_port()}

    def settings(self, request):
        self.session.apply_settings(request["settings"])

    def params(self, request):
        source = request["source"]
        if source.startswith("magnet:"):
            params = lt.parse_magnet_uri(source)
        else:
            with open(source, "rb") as file:
                content = file.read()
            if content.startswith(b"d") and b"22:libtorrent resume file" in content:
                params = lt.read_resume_data(content)
                if "torrent" in request:
                    params.ti = lt.torrent_info(request["torrent"])
            else:
                params = lt.add_torrent_params()
                params.ti = lt.torrent_info(source)
        params.save_path = request["savePath"]
        flags = params.flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
        if not request.get("discoverable"):
            flags |= lt.torrent_flags.disable_dht | lt.torrent_flags.disable_lsd | lt.torrent_flags.disable_pex
        if request.get("seedMode"):
            flags |= lt.torrent_flags.seed_mode
        if request.get("paused"):
            flags |= lt.torrent_flags.paused
        if request.get("sequential"):
            flags |= lt.torrent_flags.sequential_download
        params.flags = flags
        params.upload_limit = request.get("uploadLimit", 0)
        params.download_limit = request.get("downloadLimit", 0)
        return params

    def add(self, request):
        # Held while adding, so that the first alerts find the torrent known.
        with self.adding:
            handle = self.session.add_torrent(self.params(request))
            index = len(self.torrents)
            self.torrents.append(handle)
            self.index_by_handle[handle] = index
        ssl = request.get("ssl")
        if ssl:
            handle.set_ssl_certificate(ssl["certificate"], ssl["privateKey"], ssl["dhParams"], "")
        for host, port in request.get("peers", []):
            handle.connect_peer((host, port))
        return {"torrent": index}

    def addMany(self, request):
        names = sorted(name for name in os.listdir(request["directory"]) if name.endswith(".torrent"))
        begin = time.monotonic()
        with self.added_changed:
            target = self.added + len(names)
        for name in names:
            request["source"] = os.path.join(request["directory"], name)
            self.session.async_add_torrent(self.params(request))
        with self.added_changed:
            self.added_changed.wait_for(lambda: self.added >= target)
        return {"count": len(names), "seconds": time.monotonic() - begin}

    def connect(self, request):
        self.handle(request).connect_peer((request["host"], request["port"]), flags=request.get("flags", 0xD))

    def status(self, request):
        status = self.handle(request).status()
        return {
            "state": str(status.state),
            "progress": status.progress,
            "uploaded": status.total_payload_upload,
            "downloaded": status.total_payload_download,
            "peers": status.num_peers,
            "pieces": "".join("1" if have else "0" for have in status.pieces),
            "error": status.errc.message() if status.errc.value() else "",
        }

    def encryption(self, request):
        flags = [peer.flags for peer in self.handle(request).get_peer_info()][:1] or [0]
        if flags[0] & lt.peer_info.rc4_encrypted:
            return {"encryption": "rc4"}
        return {"encryption": "plaintext" if flags[0] & lt.peer_info.plaintext_encrypted else "none"}

    def limits(self, request):
        handle = self.handle(request)
        handle.set_upload_limit(request.get("uploadLimit", 0))
        handle.set_download_limit(request.get("downloadLimit", 0))

    def pause(self, request):
        self.handle(request).pause()

    def resume(self, request):
        self.handle(request).resume()

    def remove(self, request):
        self.session.remove_torrent(self.handle(request))

    def recheck(self, request):
        self.handle(request).force_recheck()

    def saveResume(self, request):
        done = threading.Event()
        handle = self.handle(request)
        self.resume_paths[handle] = (request["path"], done)
        handle.save_resume_data(lt.save_resume_flags_t.flush_disk_cache)
        if not done.wait(20):
            raise RuntimeError("no resume data within 20 s")

    def parse(self, request):
        begin = time.perf_counter()
        # The default of 2,000,000 bencoded items and 3 GiB suffices for any torrent the benchmark makes.
        info = lt.torrent_info(request["path"])
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "files": info.num_files()}

    def handle(self, request):
        return self.torrents[request["torrent"]]

    def flush(self):
        # A piece counts as downloaded while its last blocks still wait in libtorrent's memory to be written.
        for handle in self.torrents:
            if handle.is_valid():
                done = self.flushing[handle] = threading.Event()
                handle.flush_cache()
                done.wait(5)

    # Alerts

    def alert_loop(self):
        # Not wait_for_alert: what it returns may be moved by libtorrent's own thread while Python looks at it, and crash.
        readable, writable = os.pipe()
        os.set_blocking(writable, False)
        self.session.set_alert_fd(writable)
        while True:
            os.read(readable, 4096)
            for alert in self.session.pop_alerts():
                self.report(alert)

    def report(self, alert):
        if isinstance(alert, lt.add_torrent_alert):
            with self.added_changed:
                self.added += 1
                self.added_changed.notify_all()
            return
        if isinstance(alert, lt.save_resume_data_alert):
            path, done = self.resume_paths.pop(alert.handle)
            with open(path, "wb") as file:
                file.write(lt.write_resume_data_buf(alert.params))
            done.set()
            return
        if isinstance(alert, lt.cache_flushed_alert):
            if alert.handle in self.flushing:
                self.flushing[alert.handle].set()
            return
        event = self.describe(alert)
        if event is not None:
            if isinstance(alert, lt.torrent_alert):
                with self.adding:
                    known = alert.handle in self.index_by_handle
                if not known:
                    # One of addMany's: thousands that nobody waits for.
                    return
                event["torrent"] = self.index_by_handle[alert.handle]
            self.say(event)

    def describe(self, alert):
        if isinstance(alert, lt.torrent_finished_alert):
            return {"event": "finished"}
        if isinstance(alert, lt.torrent_checked_alert):
            return {"event": "checked"}
        if isinstance(alert, lt.metadata_received_alert):
            return {"event": "metadata"}
        if isinstance(alert, lt.peer_connect_alert) or type(alert).__name__ == "incoming_connection_alert":
            return {"event": "peerConnected", "message": alert.message()}
        if isinstance(alert, lt.peer_disconnected_alert):
            return {"event": "peerDisconnected", "message": alert.message()}
        names = ("fastresume_rejected_alert", "hash_failed_alert", "file_error_alert", "torrent_error_alert", "peer_error_alert")
        name = type(alert).__name__
        if name in names:
            return {"event": name[: -len("_alert")], "message": alert.message()}
        return None

    # The loop

    def run(self):
        self.say({"event": "ready", "version": lt.version})
        for line in sys.stdin:
            request = json.loads(line)
            command = request["cmd"]
            if command == "quit":
                break
            try:
                answer = getattr(self, command)(request) or {}
                self.say({"id": request["id"], "ok": True, **answer})
            except Exception as error:  # noqa: BLE001 - whatever went wrong is the caller's to read
                self.say({"id": request["id"], "error": "%s: %s" % (type(error).__name__, error)})
        self.flush()
        # Leaving at once: libtorrent's orderly shutdown waits for trackers, which the tests do not have.
        sys.stdout.flush()
        os._exit(0)


Daemon().run()
