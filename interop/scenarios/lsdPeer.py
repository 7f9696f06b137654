"""A libtorrent session that finds peers by local service discovery only, and prints those it is told of.

Usage: lsdPeer.py <listen address> <port> <info-hash>. Ends with its standard input.
"""
import json
import sys
import threading
import time

import libtorrent as lt


def say(**fields):
    print(json.dumps(fields), flush=True)


def leave_with_input():
    sys.stdin.read()
    # The session's threads would be waited for.
    import os
    os._exit(0)


address, port, info_hash = sys.argv[1:]
session = lt.session({
    'listen_interfaces': f'{address}:{port}',
    'enable_lsd': True,
    'enable_dht': False,
    'enable_upnp': False,
    'enable_natpmp': False,
    'alert_mask': 0x7fffffff,
})
params = lt.parse_magnet_uri(f'magnet:?xt=urn:btih:{info_hash}')
params.save_path = '/tmp'
session.add_torrent(params)
threading.Thread(target=leave_with_input, daemon=True).start()
say(event='ready')
while True:
    for alert in session.pop_alerts():
        # The bindings have no class for lsd_peer_alert.
        if 'local service discovery' in alert.message():
            say(event='heard', message=alert.message())
    time.sleep(0.1)
