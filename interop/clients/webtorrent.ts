import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ClientKind } from './client.ts'
import { DaemonClient } from './daemonClient.ts'

const INTEROP_DIRECTORY = fileURLToPath(new URL('..', import.meta.url))
const COMMAND = [process.execPath, fileURLToPath(new URL('./webtorrent/daemon.js', import.meta.url))]

/** Installs the npm packages of this directory. */
export function installPackages(): void {
  spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: INTEROP_DIRECTORY, stdio: 'ignore' })
}

export const webtorrent: ClientKind = {
  name: 'webtorrent',
  connects: true,
  limits: true,
  leavesOutEmptyFiles: true,
  async missing() {
    return existsSync(`${INTEROP_DIRECTORY}/node_modules/webtorrent/package.json`) ? null : 'npm ci in interop/'
  },
  async install() {
    installPackages()
  },
  start: (options) => DaemonClient.start('webtorrent', COMMAND, options),
}

/** The same with its trackers, which are WebSocket trackers in the cases that use it, and so with WebRTC peers. */
export const webtorrentRtc: ClientKind = {
  ...webtorrent,
  start: (options) => DaemonClient.start('webtorrent', COMMAND, { ...options, settings: { webRtc: true } }),
}
