#!/usr/bin/python3
"""The command line of `lt`, done with libtorrent: proves the interop tests and the benchmark without our product.

Used by LT_COMMAND="/usr/bin/python3 interop/clients/ltStandIn.py" npm run interop
"""

import argparse
import json
import os
import signal
import sys
import time
import warnings

warnings.simplefilter("ignore", DeprecationWarning)

import libtorrent as lt  # noqa: E402

SETTINGS = {
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
    "alert_mask": lt.alert.category_t.status_notification
    | lt.alert.category_t.storage_notification
    | lt.alert.category_t.tracker_notification,
}


def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)


def next_alerts(session):
    """Not wait_for_alert: what it returns may be moved by libtorrent's own thread while Python looks at it, and crash."""
    time.sleep(0.02)
    return session.pop_alerts()


def parse_arguments():
    parser = argparse.ArgumentParser(prog="lt")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("download", "seed"):
        command = commands.add_parser(name)
        command.add_argument("source")
        command.add_argument("--output", default=".")
        command.add_argument("--port", type=int, default=0)
        command.add_argument("--peer", action="append", default=[])
        command.add_argument("--limit-up", type=int, default=0)
        command.add_argument("--limit-down", type=int, default=0)
        command.add_argument("--set", action="append", default=[])
        command.add_argument("--no-seed", action="store_true")
        command.add_argument("--sequential", action="store_true")
        command.add_argument("--json", action="store_true")
    command = commands.add_parser("verify")
    command.add_argument("source")
    command.add_argument("--output", default=".")
    command.add_argument("--json", action="store_true")
    command = commands.add_parser("magnet")
    command.add_argument("source")
    command = commands.add_parser("create")
    command.add_argument("path")
    command.add_argument("-o", dest="torrent", required=True)
    command.add_argument("--tracker", action="append", default=[])
    command.add_argument("--piece-size", type=int, default=0)
    return parser.parse_args()


def params_of(arguments):
    if arguments.source.startswith("magnet:"):
        params = lt.parse_magnet_uri(arguments.source)
    else:
        params = lt.add_torrent_params()
        params.ti = lt.torrent_info(arguments.source)
    params.save_path = arguments.output
    params.flags &= ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
    return params


def transfer(arguments):
    session = lt.session({**SETTINGS, "listen_interfaces": "127.0.0.1:%d" % arguments.port})
    torrent = session.add_torrent(params_of(arguments))
    torrent.set_upload_limit(arguments.limit_up)
    torrent.set_download_limit(arguments.limit_down)
    for peer in arguments.peer:
        host, port = peer.rsplit(":", 1)
        torrent.connect_peer((host, int(port)))
    say("added", listenPort=session.listen_port())
    signal.signal(signal.SIGINT, lambda *_: leave(session))
    seeding = False
    reported = 0.0
    while True:
        finished = any(isinstance(alert, lt.torrent_finished_alert) for alert in next_alerts(session))
        status = torrent.status()
        if time.monotonic() - reported > 0.2:
            reported = time.monotonic()
            say("progress", progress=status.progress, uploaded=status.total_payload_upload)
        if finished and not seeding:
            seeding = True
            say("complete")
            if arguments.no_seed:
                torrent.pause()
                torrent.flush_cache()
                while not any(isinstance(alert, lt.cache_flushed_alert) for alert in next_alerts(session)):
                    pass
                os._exit(0)


def leave(session):
    """Tells the trackers, then ends."""
    session.pause()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if any(isinstance(alert, lt.tracker_reply_alert) for alert in next_alerts(session)):
            break
    os._exit(0)


def verify(arguments):
    session = lt.session({**SETTINGS, "listen_interfaces": ""})
    params = params_of(arguments)
    params.flags |= lt.torrent_flags.stop_when_ready
    torrent = session.add_torrent(params)
    while True:
        if any(isinstance(alert, lt.torrent_checked_alert) for alert in next_alerts(session)):
            progress = torrent.status().progress
            say("verified", complete=progress == 1)
            os._exit(0 if progress == 1 else 1)


def create(arguments):
    storage = lt.file_storage()
    lt.add_files(storage, arguments.path)
    creator = lt.create_torrent(storage, arguments.piece_size, lt.create_torrent.v1_only)
    for tier, tracker in enumerate(arguments.tracker):
        creator.add_tracker(tracker, tier)
    lt.set_piece_hashes(creator, os.path.dirname(os.path.abspath(arguments.path)))
    with open(arguments.torrent, "wb") as file:
        file.write(lt.bencode(creator.generate()))


def main():
    arguments = parse_arguments()
    if arguments.command in ("download", "seed"):
        transfer(arguments)
    elif arguments.command == "verify":
        verify(arguments)
    elif arguments.command == "magnet":
        print(lt.make_magnet_uri(lt.torrent_info(arguments.source)))
    elif arguments.command == "create":
        create(arguments)
    sys.exit(0)


main()
