#!/usr/bin/python3
"""The DHT of libtorrent 2.0 as a line-protocol daemon, on loopback. The protocol is that of libtorrentDaemon.py.

Commands
  start       port                                     -> port
  addNode     port
  announce    infoHash (hex)                           -> port (announced)
  getPeers    infoHash                                 -> peers [[host, port]]
  putImmutable  value (text)                           -> target (hex), count (nodes that took it)
  getImmutable  target                                 -> value (text or null)
  putMutable    publicKey, secretKey (hex), salt, value (text) -> count
  getMutable    publicKey (hex), salt                  -> value, seq (of the authoritative answer)
  getItems    targets (hex), parallel                  -> found, seconds
  nodes                                                -> count (in the routing table)
  state                                                -> state (hex of the bencoded session state)
  quit
"""

import json
import sys
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)

import libtorrent as lt  # noqa: E402

SETTINGS = {
    "enable_dht": True,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "dht_bootstrap_nodes": "",
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False,
    "dht_enforce_node_id": False,
    "dht_prefer_verified_node_ids": False,
    "dht_upload_rate_limit": 100000000,
    "dht_block_ratelimit": 100000000,
    "alert_mask": lt.alert.category_t.all_categories,
    "alert_queue_size": 100000,
}


class Daemon:
    def __init__(self):
        self.session = None

    def alert(self, kind, accept, seconds=20):
        """Waits for an alert of a kind that `accept` takes (returns something but None for)."""
        end = time.time() + seconds
        while time.time() < end:
            for alert in self.session.pop_alerts():
                if isinstance(alert, kind):
                    taken = accept(alert)
                    if taken is not None:
                        return taken
            time.sleep(0.02)
        raise RuntimeError("no " + kind.__name__)

    def start(self, request):
        self.session = lt.session({**SETTINGS, "listen_interfaces": "127.0.0.1:%d" % request["port"]})
        end = time.time() + 10
        while not self.session.is_dht_running() and time.time() < end:
            time.sleep(0.02)
        return {"port": self.session.listen_port()}

    def addNode(self, request):
        self.session.add_dht_node(("127.0.0.1", request["port"]))
        return {}

    def announce(self, request):
        # The binding cannot call dht_announce: its flags have no Python type. A torrent announces itself.
        torrent = lt.parse_magnet_uri("magnet:?xt=urn:btih:" + request["infoHash"])
        torrent.save_path = "/nonexistent"
        torrent.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
        self.session.add_torrent(torrent).force_dht_announce()
        return {"port": self.session.listen_port()}

    def getPeers(self, request):
        wanted = request["infoHash"]
        self.session.dht_get_peers(lt.sha1_hash(bytes.fromhex(wanted)))

        def accept(alert):
            peers = alert.peers()
            return peers if str(alert.info_hash) == wanted and len(peers) > 0 else None

        return {"peers": [list(peer) for peer in self.alert(lt.dht_get_peers_reply_alert, accept)]}

    def putImmutable(self, request):
        target = str(self.session.dht_put_immutable_item(request["value"]))
        count = self.alert(lt.dht_put_alert, lambda a: a.num_success if str(a.target) == target else None)
        return {"target": target, "count": count}

    def getImmutable(self, request):
        self.session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(request["target"])))
        item = self.alert(lt.dht_immutable_item_alert, lambda a: (a.item,))[0]
        return {"value": text(item)}

    def putMutable(self, request):
        self.session.dht_put_mutable_item(
            bytes.fromhex(request["secretKey"]), bytes.fromhex(request["publicKey"]), request["value"], request["salt"]
        )
        return {"count": self.alert(lt.dht_put_alert, lambda a: a.num_success)}

    def getMutable(self, request):
        self.session.dht_get_mutable_item(bytes.fromhex(request["publicKey"]), request["salt"])
        item, seq = self.alert(lt.dht_mutable_item_alert, lambda a: (a.item, a.seq) if a.authoritative else None)
        return {"value": text(item), "seq": seq}

    def getItems(self, request):
        waiting = list(request["targets"])
        left = len(waiting)
        found = 0
        begin = time.time()
        # Alerts that are not wanted would cost more than the lookups.
        self.session.apply_settings({"alert_mask": lt.alert.category_t.dht_notification})
        for _ in range(request["parallel"]):
            if waiting:
                self.session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(waiting.pop())))
        while left > 0:
            self.session.wait_for_alert(1000)
            for alert in self.session.pop_alerts():
                if isinstance(alert, lt.dht_immutable_item_alert):
                    left -= 1
                    found += text(alert.item) not in (None, "")
                    if waiting:
                        self.session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(waiting.pop())))
        return {"found": found, "seconds": time.time() - begin}

    def nodes(self, _request):
        return {"count": self.session.status().dht_nodes}

    def state(self, _request):
        return {"state": lt.bencode(self.session.save_state(lt.save_state_flags_t.save_dht_state)).hex()}


def text(item):
    """The binding gives a dictionary whose key "value" holds the item, or the item itself."""
    if isinstance(item, dict):
        item = item.get("value", item.get(b"value"))
    return item.decode("latin1") if isinstance(item, bytes) else item


def main():
    daemon = Daemon()
    print(json.dumps({"event": "ready"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "quit":
            break
        try:
            answer = {"ok": True, **getattr(daemon, request["cmd"])(request)}
        except Exception as error:  # noqa: BLE001
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps({"id": request["id"], **answer}), flush=True)


main()
