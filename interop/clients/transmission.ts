import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asFields, type Fields, numberField } from '../lib/fields.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'
import type { ClientKind, RunningClient, StartOptions } from './client.ts'

const PROGRAM = 'transmission-daemon'
const READY_TIMEOUT_MS = 30_000

/** tr_encryption_mode */
const CLEAR_PREFERRED = 0
const ENCRYPTION_REQUIRED = 2

/** tr_torrent_activity */
const STATUS_DOWNLOAD = 4
const STATUS_SEED = 6

const VERIFY_AGAIN_MS = 3000

const SESSION_HEADER = 'x-transmission-session-id'

/**
 * Transmission with a configuration directory of its own, steered over its RPC port.
 * It ignores loopback peers it learns from others and cannot be told of one, so the other side connects to it. Of
 * `settings` it takes `enable_dht`, `dht_bootstrap_nodes`, and `address`, to be at another one of this machine.
 */
class TransmissionClient implements RunningClient {
  readonly name = 'transmission'
  private sessionId = ''
  private id = 0
  private verifiedAt = 0

  private constructor(
    readonly port: number,
    private readonly daemon: OwnedProcess,
    private readonly rpcUrl: string,
  ) {}

  static async start(options: StartOptions): Promise<TransmissionClient> {
    const config = join(options.workDir, 'transmission')
    mkdirSync(config, { recursive: true })
    const rpcPort = await freePort()
    const nodes = dhtNodes(options)
    if (nodes.length > 0) writeFileSync(join(config, 'dht.bootstrap'), nodes.join(''))
    writeFileSync(join(config, 'settings.json'), JSON.stringify(settings(options, rpcPort), null, 2))
    const command = [findProgram(PROGRAM) ?? PROGRAM, '--foreground', '--config-dir', config, '--log-debug']
    const daemon = OwnedProcess.start('transmission', command, { log: join(options.workDir, 'transmission.log') })
    const client = new TransmissionClient(options.port, daemon, `http://127.0.0.1:${rpcPort}/transmission/rpc`)
    await waitUntil(READY_TIMEOUT_MS, 'transmission RPC', () => client.isUp())
    await client.add(options)
    if (options.role === 'seed') {
      await waitUntil(READY_TIMEOUT_MS, 'transmission seeding', () => client.isSeeding())
    }
    return client
  }

  async progress(): Promise<number> {
    return numberField(await this.torrent(), 'percentDone')
  }

  async uploaded(): Promise<number> {
    return numberField(await this.torrent(), 'uploadedEver')
  }

  async finished(timeoutMs: number): Promise<void> {
    await waitUntil(timeoutMs, 'transmission finished', async () => {
      const { percentDone, leftUntilDone, metadataPercentComplete } = await this.torrent()
      return metadataPercentComplete === 1 && percentDone === 1 && leftUntilDone === 0
    })
    // It writes through a cache and syncs it when the torrent stops.
    await this.call('torrent-stop', { ids: [this.id] })
    await waitUntil(5000, 'transmission stopped', async () => (await this.torrent()).status === 0)
  }

  async kill(): Promise<void> {
    await this.daemon.kill()
  }

  async stop(): Promise<void> {
    await this.call('session-close', {}).catch(() => {})
    await this.daemon.ended(2000)
  }

  private async isUp(): Promise<boolean> {
    if (!this.daemon.alive) throw new Error(`transmission ended:\n${this.daemon.logTail()}`)
    return this.call('session-get', {}).then(
      () => true,
      () => false,
    )
  }

  private async add(options: StartOptions): Promise<void> {
    const source = options.source.startsWith('magnet:')
      ? { filename: options.source }
      : { metainfo: readFileSync(options.source).toString('base64') }
    const answer = await this.call('torrent-add', { ...source, 'download-dir': options.savePath, paused: false })
    const added = asFields(answer['torrent-added']) ?? asFields(answer['torrent-duplicate'])
    if (added === null) throw new Error(`transmission did not add: ${JSON.stringify(answer)}`)
    this.id = numberField(added, 'id')
    // After a kill its own notes are older than its files.
    if (asFields(answer['torrent-duplicate']) !== null) await this.verify()
  }

  private async verify(): Promise<void> {
    await this.call('torrent-verify', { ids: [this.id] })
    this.verifiedAt = performance.now()
  }

  private async isSeeding(): Promise<boolean> {
    const { status, percentDone } = await this.torrent()
    // Asked to verify while it is just starting, it forgets.
    if (status === STATUS_DOWNLOAD && performance.now() > this.verifiedAt + VERIFY_AGAIN_MS) await this.verify()
    return status === STATUS_SEED && percentDone === 1
  }

  private async torrent(): Promise<Fields> {
    const fields = ['percentDone', 'leftUntilDone', 'status', 'uploadedEver', 'metadataPercentComplete', 'errorString']
    const answer = await this.call('torrent-get', { ids: [this.id], fields })
    const torrent = Array.isArray(answer.torrents) ? asFields(answer.torrents[0]) : null
    if (torrent === null) throw new Error('transmission lost the torrent')
    return torrent
  }

  private async call(method: string, args: Fields): Promise<Fields> {
    const send = () =>
      fetch(this.rpcUrl, {
        method: 'POST',
        headers: { [SESSION_HEADER]: this.sessionId },
        body: JSON.stringify({ method, arguments: args }),
        signal: AbortSignal.timeout(5000),
      })
    let response = await send()
    if (response.status === 409) {
      this.sessionId = response.headers.get(SESSION_HEADER) ?? ''
      await response.text()
      response = await send()
    }
    const answer = asFields(await response.json())
    if (answer?.result !== 'success') throw new Error(`transmission ${method}: ${JSON.stringify(answer)}`)
    return asFields(answer.arguments) ?? {}
  }
}

/** Lines of its list of nodes to begin with. */
function dhtNodes({ settings: { dht_bootstrap_nodes: nodes = '' } = {} }: StartOptions): string[] {
  return [...String(nodes).matchAll(/([\d.]+):(\d+)/g)].map(([, host, port]) => `${host} ${port}\n`)
}

function settings(options: StartOptions, rpcPort: number): Fields {
  const kilobytes = (limit: number | undefined) => Math.max(1, Math.round((limit ?? 0) / 1000))
  return {
    'bind-address-ipv4': options.settings?.address ?? '127.0.0.1',
    'peer-port': options.port,
    'rpc-bind-address': '127.0.0.1',
    'rpc-port': rpcPort,
    'rpc-whitelist-enabled': false,
    'rpc-host-whitelist-enabled': false,
    'rpc-authentication-required': false,
    'port-forwarding-enabled': false,
    'dht-enabled': options.settings?.enable_dht === true,
    'lpd-enabled': false,
    'pex-enabled': false,
    'utp-enabled': options.settings?.enable_incoming_utp === true,
    encryption: options.encryption === 'required' ? ENCRYPTION_REQUIRED : CLEAR_PREFERRED,
    'download-dir': options.savePath,
    'incomplete-dir-enabled': false,
    'rename-partial-files': false,
    'ratio-limit-enabled': false,
    'idle-seeding-limit-enabled': false,
    'speed-limit-up-enabled': options.uploadLimit !== undefined,
    'speed-limit-up': kilobytes(options.uploadLimit),
    'speed-limit-down-enabled': options.downloadLimit !== undefined,
    'speed-limit-down': kilobytes(options.downloadLimit),
  }
}

export const transmission: ClientKind = {
  name: 'transmission',
  connects: false,
  limits: true,
  leavesOutEmptyFiles: true,
  async missing() {
    return findProgram(PROGRAM) === null ? PROGRAM : null
  },
  async install() {
    aptInstall('transmission-daemon')
  },
  start: (options) => TransmissionClient.start(options),
}
