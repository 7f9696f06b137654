import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'

const SERVER = fileURLToPath(new URL('./webTracker/server.js', import.meta.url))

/** npm's bittorrent-tracker on 127.0.0.1, by WebSockets. */
export class WebTracker {
  /** The kinds of announces it got. */
  readonly events: string[] = []

  private constructor(
    private readonly port: number,
    private readonly owned: OwnedProcess,
  ) {
    owned.onLine((line) => this.events.push(line.split(' ', 1)[0] ?? ''))
  }

  static async start(workDir: string): Promise<WebTracker> {
    const port = await freePort()
    const log = join(workDir, 'webTracker.log')
    const owned = OwnedProcess.start('bittorrent-tracker', [process.execPath, SERVER, String(port)], { log })
    const tracker = new WebTracker(port, owned)
    await waitUntil(10_000, 'bittorrent-tracker listening', () => isListening(port), 20)
    return tracker
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGTERM', 1000)
  }
}
