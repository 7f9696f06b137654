import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { asFields, type Fields, stringField } from '../lib/fields.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'
import type { ClientKind, RunningClient, StartOptions } from './client.ts'

const PROGRAM = 'aria2c'
const READY_TIMEOUT_MS = 30_000

/**
 * aria2 with one torrent, steered by its JSON-RPC. It cannot be told of a peer: trackers, its DHT and who connects to it
 * are all it knows. Of `settings` it takes `enable_dht` and
 * `dht_bootstrap_nodes`, the first of them.
 */
class Aria2Client implements RunningClient {
  readonly name = 'aria2'

  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
    private readonly rpcUrl: string,
  ) {}

  static async start(options: StartOptions): Promise<Aria2Client> {
    const rpcPort = await freePort()
    mkdirSync(options.workDir, { recursive: true })
    const command = [findProgram(PROGRAM) ?? PROGRAM, ...argumentsFor(options, rpcPort), options.source]
    const owned = OwnedProcess.start('aria2', command, { log: join(options.workDir, 'aria2.log') })
    const client = new Aria2Client(options.port, owned, `http://127.0.0.1:${rpcPort}/jsonrpc`)
    await waitUntil(READY_TIMEOUT_MS, 'aria2 running the torrent', () => client.isReady(options.role))
    return client
  }

  async progress(): Promise<number> {
    const torrent = await this.torrent()
    return torrent === null ? 0 : bytes(torrent, 'completedLength') / Math.max(1, bytes(torrent, 'totalLength'))
  }

  async uploaded(): Promise<number> {
    const torrent = await this.torrent()
    return torrent === null ? 0 : bytes(torrent, 'uploadLength')
  }

  async finished(timeoutMs: number): Promise<void> {
    await waitUntil(timeoutMs, 'aria2 finished', () => this.isComplete())
  }

  async kill(): Promise<void> {
    await this.owned.kill()
  }

  async stop(): Promise<void> {
    // Asked by RPC it would take three seconds.
    await this.owned.end('SIGTERM', 3000)
  }

  private async isReady(role: StartOptions['role']): Promise<boolean> {
    if (!this.owned.alive) throw new Error(`aria2 ended:\n${this.owned.logTail()}`)
    if (role === 'seed') return this.isComplete().catch(() => false)
    return this.call('aria2.tellActive').then(
      (active) => Array.isArray(active) && active.length > 0,
      () => false,
    )
  }

  private async isComplete(): Promise<boolean> {
    if (!this.owned.alive) throw new Error(`aria2 ended:\n${this.owned.logTail()}`)
    const torrent = await this.torrent()
    if (torrent?.status === 'error') throw new Error(`aria2: ${stringField(torrent, 'errorMessage')}`)
    return torrent?.seeder === 'true' && torrent.completedLength === torrent.totalLength
  }

  /** The torrent; null while a magnet link is still being turned into one. */
  private async torrent(): Promise<Fields | null> {
    const active = (await this.call('aria2.tellActive')) as unknown[]
    const stopped = (await this.call('aria2.tellStopped', 0, 10)) as unknown[]
    const downloads = [...active, ...stopped].map(asFields)
    return downloads.find((download) => asFields(download?.bittorrent)?.info !== undefined) ?? null
  }

  private async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const response = await fetch(this.rpcUrl, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(5000),
    })
    const answer = asFields(await response.json())
    if (answer?.result === undefined) throw new Error(`aria2 ${method}: ${JSON.stringify(answer)}`)
    return answer.result
  }
}

function bytes(torrent: Fields, name: string): number {
  return Number(stringField(torrent, name))
}

function argumentsFor(options: StartOptions, rpcPort: number): string[] {
  const { settings = {}, workDir, encryption } = options
  const [node] = String(settings.dht_bootstrap_nodes ?? '').split(',')
  const hasDht = settings.enable_dht === true
  return [
    '--no-conf',
    '--enable-rpc',
    `--rpc-listen-port=${rpcPort}`,
    `--dir=${options.savePath}`,
    `--listen-port=${options.port}`,
    '--interface=127.0.0.1',
    '--disable-ipv6=true',
    `--enable-dht=${hasDht}`,
    `--dht-file-path=${join(workDir, 'dht.dat')}`,
    ...(hasDht ? [`--dht-listen-port=${options.port}`, `--dht-entry-point=${node}`] : []),
    `--enable-peer-exchange=${options.discoverable === true}`,
    '--bt-enable-lpd=false',
    '--seed-ratio=0.0',
    '--file-allocation=none',
    // What lies there is checked, and used.
    '--check-integrity=true',
    '--bt-hash-check-seed=true',
    '--allow-overwrite=true',
    '--auto-save-interval=1',
    '--console-log-level=info',
    '--summary-interval=0',
    '--enable-color=false',
    ...(encryption === 'required' ? ['--bt-require-crypto=true', '--bt-min-crypto-level=arc4'] : []),
    `--max-upload-limit=${options.uploadLimit ?? 0}`,
    `--max-download-limit=${options.downloadLimit ?? 0}`,
  ]
}

export const aria2: ClientKind = {
  name: 'aria2',
  connects: false,
  limits: true,
  leavesOutEmptyFiles: false,
  async missing() {
    return findProgram(PROGRAM) === null ? PROGRAM : null
  },
  async install() {
    aptInstall('aria2')
  },
  start: (options) => Aria2Client.start(options),
}
