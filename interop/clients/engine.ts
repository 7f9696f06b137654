import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ClientKind } from './client.ts'
import { DaemonClient } from './daemonClient.ts'

const BUILT_ENGINE = fileURLToPath(new URL('../../packages/engine/dist/src/index.js', import.meta.url))
const DAEMON = fileURLToPath(new URL('./engineDaemon.ts', import.meta.url))
export const ENGINE_COMMAND = [process.execPath, '--import', import.meta.resolve('tsx'), DAEMON]

/** Our engine by its API. */
export const engine: ClientKind = {
  name: 'engine',
  connects: true,
  limits: true,
  leavesOutEmptyFiles: false,
  async missing() {
    return existsSync(BUILT_ENGINE) ? null : 'npm run build'
  },
  async install() {},
  start: (options) => DaemonClient.start('engine', ENGINE_COMMAND, options),
}
