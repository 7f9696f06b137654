import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Fields, parseFields } from '../lib/fields.ts'
import { isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil, within } from '../lib/wait.ts'
import type { ClientKind, RunningClient, StartOptions } from './client.ts'

const LT_SCRIPT = fileURLToPath(new URL('../../packages/app/bin/lt.js', import.meta.url))
const LT_BUILT = fileURLToPath(new URL('../../packages/app/dist/index.js', import.meta.url))

/** Our command. LT_COMMAND (words separated by blanks) puts another program with the same command line in its place. */
export const LT_COMMAND: readonly string[] = process.env.LT_COMMAND?.split(' ') ?? [process.execPath, LT_SCRIPT]

const READY_TIMEOUT_MS = 30_000

/** Runs `lt <args>` to its end; rejects with its output unless it exits with 0. */
export async function runLt(args: readonly string[], workDir: string, timeoutMs = 30_000): Promise<string> {
  const lines: string[] = []
  const owned = startLt(args, workDir)
  owned.onLine((line) => lines.push(line))
  const code = await within(timeoutMs, `lt ${args[0]}`, owned.exited).catch(async (error: unknown) => {
    await owned.kill()
    throw error
  })
  if (code !== 0) throw new Error(`lt ${args[0]} exited with ${code}:\n${owned.logTail()}`)
  return lines.join('\n')
}

/** With nothing that earlier runs have left, and nothing left in the user's own directory. */
function startLt(args: readonly string[], workDir: string): OwnedProcess {
  const env = { LT_STATE_DIR: join(workDir, 'state') }
  return OwnedProcess.start('lt', [...LT_COMMAND, ...args], { log: join(workDir, 'lt.log'), env })
}

class LtClient implements RunningClient {
  readonly name = 'lt'
  /** The last progress line. */
  private status: Fields = {}
  private complete = false

  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
  ) {
    owned.onLine((line) => {
      const fields = parseFields(line)
      if (fields?.type === 'progress') this.status = fields
      if (fields?.type === 'complete') this.complete = true
    })
  }

  static async start(options: StartOptions): Promise<LtClient> {
    const args = ['--output', options.savePath, '--port', String(options.port), '--json']
    args.push('--no-dht', '--no-lsd', '--no-upnp', '--no-natpmp')
    if (options.encryption === 'required') args.push('--encryption', 'forced', '--encryption-level', 'rc4')
    if (options.role === 'download') args.push('--no-seed')
    for (const peer of options.peers)
      args.push('--peer', peer.host.includes(':') ? `[${peer.host}]:${peer.port}` : `${peer.host}:${peer.port}`)
    if (options.ssl) args.push('--cert', options.ssl.certificate, '--key', options.ssl.privateKey)
    if (options.proxy !== undefined) args.push('--proxy', options.proxy)
    if (options.i2p !== undefined) args.push('--i2p', options.i2p)
    for (const [name, value] of Object.entries(options.settings ?? {})) args.push('--set', `${name}=${value}`)
    if (options.uploadLimit !== undefined) args.push('--limit-up', `${options.uploadLimit}`)
    if (options.downloadLimit !== undefined) args.push('--limit-down', `${options.downloadLimit}`)
    if (options.ipFilter !== undefined) args.push('--ip-filter', options.ipFilter)
    const client = new LtClient(options.port, startLt([options.role, options.source, ...args], options.workDir))
    await waitUntil(READY_TIMEOUT_MS, `lt ${options.role} listening`, () => client.isReady(options))
    return client
  }

  async progress(): Promise<number> {
    return typeof this.status.progress === 'number' ? this.status.progress : 0
  }

  async uploaded(): Promise<number | null> {
    return typeof this.status.uploaded === 'number' ? this.status.uploaded : null
  }

  async peers(): Promise<number> {
    return typeof this.status.peers === 'number' ? this.status.peers : 0
  }

  /** `--no-seed`: the end of the download is the end of the process. */
  async finished(timeoutMs: number): Promise<void> {
    const code = await within(timeoutMs, 'lt download', this.owned.exited)
    if (code !== 0) throw new Error(`lt download exited with ${code}:\n${this.owned.logTail()}`)
  }

  async kill(): Promise<void> {
    await this.owned.kill()
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGINT', 5000)
  }

  private isReady(options: StartOptions): boolean {
    // A small download may be over before its port was ever seen open.
    if (!this.owned.alive && options.role === 'download') return true
    if (!this.owned.alive) throw new Error(`lt ended:\n${this.owned.logTail()}`)
    const isOpen = options.proxy !== undefined || isListening(options.port)
    return isOpen && (options.role === 'download' || this.complete)
  }
}

export const lt: ClientKind = {
  name: 'lt',
  connects: true,
  limits: true,
  leavesOutEmptyFiles: false,
  async missing() {
    return process.env.LT_COMMAND !== undefined || existsSync(LT_BUILT) ? null : 'npm run build'
  },
  async install() {},
  start: (options) => LtClient.start(options),
}
