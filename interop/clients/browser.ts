import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { aptInstall, findProgram } from '../lib/install.ts'
import type { ClientKind } from './client.ts'
import { DaemonClient } from './daemonClient.ts'
import { installPackages } from './webtorrent.ts'

const PROGRAM = 'chromium'
const DAEMON = fileURLToPath(new URL('./browser/daemon.js', import.meta.url))
const PLAYWRIGHT = fileURLToPath(new URL('../node_modules/playwright-core/package.json', import.meta.url))

/** WebTorrent in a browser, which has no peers but those of WebRTC. For torrents of one file. */
export const browser: ClientKind = {
  name: 'browser',
  connects: false,
  limits: false,
  leavesOutEmptyFiles: true,
  async missing() {
    if (!existsSync(PLAYWRIGHT)) return 'npm ci in interop/'
    // Browsers offer no address of loopback.
    const interfaces = Object.values(networkInterfaces()).flat()
    if (!interfaces.some((each) => each?.internal === false)) return 'a network interface beside loopback'
    return findProgram(PROGRAM) === null ? PROGRAM : null
  },
  async install() {
    installPackages()
    if (findProgram(PROGRAM) === null) aptInstall(PROGRAM)
  },
  start(options) {
    const command = [process.execPath, DAEMON, findProgram(PROGRAM) ?? PROGRAM, options.workDir]
    return DaemonClient.start('browser', command, options)
  },
}
