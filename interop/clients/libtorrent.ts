import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { aptInstall } from '../lib/install.ts'
import type { ClientKind } from './client.ts'
import { DaemonClient } from './daemonClient.ts'

/** Debian's own interpreter: the one python3-libtorrent is installed for. */
export const PYTHON = '/usr/bin/python3'

export const LIBTORRENT_COMMAND = [PYTHON, fileURLToPath(new URL('./libtorrentDaemon.py', import.meta.url))] as const

export const libtorrent: ClientKind = {
  name: 'libtorrent',
  connects: true,
  limits: true,
  leavesOutEmptyFiles: false,
  async missing() {
    const result = spawnSync(PYTHON, ['-c', 'import libtorrent'])
    return result.status === 0 ? null : 'python3-libtorrent'
  },
  async install() {
    aptInstall('python3-libtorrent')
  },
  start: (options) => DaemonClient.start('libtorrent', LIBTORRENT_COMMAND, options),
}
