import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { type ScrapeCounts, scrape } from '../lib/scrape.ts'
import { waitUntil } from '../lib/wait.ts'

const PROGRAM = 'opentracker'

/** opentracker on 127.0.0.1, HTTP and UDP on one port. */
export class Opentracker {
  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
  ) {}

  static missing(): string | null {
    return findProgram(PROGRAM) === null ? PROGRAM : null
  }

  static install(): void {
    aptInstall('opentracker')
  }

  /** Debian builds it to serve only the info-hashes (hex) of a list. */
  static async start(workDir: string, infoHashes: readonly string[]): Promise<Opentracker> {
    // Run by root it changes its root directory to this one and its user to nobody.
    const directory = join(workDir, 'opentracker')
    mkdirSync(directory, { recursive: true, mode: 0o755 })
    writeFileSync(join(directory, 'whitelist'), infoHashes.map((hash) => `${hash}\n`).join(''))
    const port = await freePort()
    const program = findProgram(PROGRAM) ?? PROGRAM
    const where = ['-i', '127.0.0.1', '-p', String(port), '-P', String(port)]
    const owned = OwnedProcess.start('opentracker', [program, ...where, '-d', directory, '-w', 'whitelist'], {
      log: join(workDir, 'opentracker.log'),
      cwd: directory,
    })
    const tracker = new Opentracker(port, owned)
    await waitUntil(5000, 'opentracker listening', () => isListening(port), 20)
    return tracker
  }

  url(protocol: 'http' | 'udp'): string {
    return `${protocol}://127.0.0.1:${this.port}/announce`
  }

  scrape(infoHash: string): Promise<ScrapeCounts> {
    return scrape(this.port, infoHash)
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGTERM', 1000)
  }
}
