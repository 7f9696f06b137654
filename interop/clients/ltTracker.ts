import { join } from 'node:path'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { type ScrapeCounts, scrape } from '../lib/scrape.ts'
import { waitUntil } from '../lib/wait.ts'
import { webScrape } from '../lib/webScrape.ts'
import { LT_COMMAND } from './lt.ts'

/** `lt tracker` on 127.0.0.1, HTTP, WebSocket and UDP on one port. */
export class LtTracker {
  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
  ) {}

  static async start(workDir: string, options: readonly string[] = []): Promise<LtTracker> {
    const port = await freePort()
    const command = [...LT_COMMAND, 'tracker', '--port', String(port), '--host', '127.0.0.1', '--json', ...options]
    const owned = OwnedProcess.start('lt tracker', command, { log: join(workDir, 'tracker.log') })
    const tracker = new LtTracker(port, owned)
    await waitUntil(5000, 'lt tracker listening', () => isListening(port), 20)
    return tracker
  }

  url(protocol: 'http' | 'udp' | 'ws'): string {
    return `${protocol}://127.0.0.1:${this.port}/announce`
  }

  scrape(infoHash: string): Promise<ScrapeCounts> {
    return scrape(this.port, infoHash)
  }

  /** The same by WebSocket: the peers of WebRTC. */
  webScrape(infoHash: string): Promise<ScrapeCounts> {
    return webScrape(this.port, infoHash)
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGINT', 2000)
  }
}
