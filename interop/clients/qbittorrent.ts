import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asFields, type Fields, numberField, stringField } from '../lib/fields.ts'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil } from '../lib/wait.ts'
import type { ClientKind, RunningClient, StartOptions } from './client.ts'

const PROGRAM = 'qbittorrent-nox'
const READY_TIMEOUT_MS = 30_000

/** qBittorrent without its windows, in a profile of its own, steered by its web API. */
class QbittorrentClient implements RunningClient {
  readonly name = 'qbittorrent'
  private hash = ''

  private constructor(
    readonly port: number,
    private readonly owned: OwnedProcess,
    private readonly apiUrl: string,
  ) {}

  static async start(options: StartOptions): Promise<QbittorrentClient> {
    const webPort = await freePort()
    const config = join(options.workDir, 'qBittorrent', 'config')
    mkdirSync(config, { recursive: true })
    writeFileSync(join(config, 'qBittorrent.conf'), configuration(options, webPort))
    const command = [findProgram(PROGRAM) ?? PROGRAM, `--profile=${options.workDir}`, `--webui-port=${webPort}`]
    const owned = OwnedProcess.start('qbittorrent', command, { log: join(options.workDir, 'qbittorrent.log') })
    const client = new QbittorrentClient(options.port, owned, `http://127.0.0.1:${webPort}/api/v2`)
    await waitUntil(READY_TIMEOUT_MS, 'qbittorrent web API', () => client.isUp())
    await client.add(options)
    return client
  }

  async progress(): Promise<number> {
    return numberField(await this.torrent(), 'progress')
  }

  async uploaded(): Promise<number> {
    return numberField(await this.torrent(), 'uploaded')
  }

  async finished(timeoutMs: number): Promise<void> {
    await waitUntil(timeoutMs, 'qbittorrent finished', () => this.isSeeding())
  }

  async kill(): Promise<void> {
    await this.owned.kill()
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGTERM', 5000)
  }

  private async isUp(): Promise<boolean> {
    if (!this.owned.alive) throw new Error(`qbittorrent ended:\n${this.owned.logTail()}`)
    return this.get('app/version').then(
      () => true,
      () => false,
    )
  }

  private async add(options: StartOptions): Promise<void> {
    const form = new FormData()
    if (options.source.startsWith('magnet:')) form.set('urls', options.source)
    else form.set('torrents', new Blob([readFileSync(options.source)]), 'torrent')
    form.set('savepath', options.savePath)
    form.set('contentLayout', 'Original')
    if (options.uploadLimit !== undefined) form.set('upLimit', String(options.uploadLimit))
    if (options.downloadLimit !== undefined) form.set('dlLimit', String(options.downloadLimit))
    // After a kill it knows the torrent.
    if (((await this.get('torrents/info')) as unknown[]).length === 0) await this.post('torrents/add', form)
    await waitUntil(READY_TIMEOUT_MS, 'qbittorrent adding', async () => {
      const [torrent] = (await this.get('torrents/info')) as unknown[]
      this.hash = String(asFields(torrent)?.hash ?? '')
      return this.hash !== ''
    })
    if (options.role === 'seed') await this.finished(READY_TIMEOUT_MS)
    if (options.peers.length === 0) return
    const at = ({ host, port }: { host: string; port: number }) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    const peers = options.peers.map(at).join('|')
    await this.post('torrents/addPeers', new URLSearchParams({ hashes: this.hash, peers }))
  }

  private async isSeeding(): Promise<boolean> {
    if (!this.owned.alive) throw new Error(`qbittorrent ended:\n${this.owned.logTail()}`)
    const state = stringField(await this.torrent(), 'state')
    if (state === 'error' || state === 'missingFiles') throw new Error(`qbittorrent: ${state}`)
    return ['uploading', 'stalledUP', 'forcedUP'].includes(state)
  }

  private async torrent(): Promise<Fields> {
    const torrents = (await this.get(`torrents/info?hashes=${this.hash}`)) as unknown[]
    const torrent = asFields(torrents[0])
    if (torrent === null) throw new Error('qbittorrent lost the torrent')
    return torrent
  }

  private async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.apiUrl}/${path}`, { signal: AbortSignal.timeout(5000) })
    if (!response.ok) throw new Error(`qbittorrent ${path}: ${response.status}`)
    const text = await response.text()
    return /^[[{]/.test(text) ? JSON.parse(text) : text
  }

  private async post(path: string, body: FormData | URLSearchParams): Promise<void> {
    const response = await fetch(`${this.apiUrl}/${path}`, { method: 'POST', body, signal: AbortSignal.timeout(5000) })
    const text = await response.text()
    if (!response.ok || text === 'Fails.') throw new Error(`qbittorrent ${path}: ${response.status} ${text}`)
  }
}

/** Of `settings` it takes `address`, and `transport`: `TCP`, `UTP` or `Both`. Its DHT has fixed routers, and stays off. */
function configuration(options: StartOptions, webPort: number): string {
  const { settings = {}, encryption } = options
  return `[LegalNotice]
Accepted=true

[BitTorrent]
Session\\AddTorrentPaused=false
Session\\BTProtocol=${settings.transport ?? 'TCP'}
Session\\DHTEnabled=false
Session\\Encryption=${encryption === 'required' ? 1 : 0}
Session\\InterfaceAddress=${settings.address ?? '127.0.0.1'}
Session\\LSDEnabled=false
Session\\MultiConnectionsPerIp=true
Session\\PeXEnabled=false
Session\\Port=${options.port}
Session\\QueueingSystemEnabled=false
Session\\SSRFMitigation=false

[Network]
PortForwardingEnabled=false

[Preferences]
Connection\\ResolvePeerCountries=false
General\\Locale=en
WebUI\\Address=127.0.0.1
WebUI\\LocalHostAuth=false
WebUI\\Port=${webPort}
WebUI\\UseUPnP=false
`
}

export const qbittorrent: ClientKind = {
  name: 'qbittorrent',
  connects: true,
  limits: true,
  leavesOutEmptyFiles: false,
  async missing() {
    return findProgram(PROGRAM) === null ? PROGRAM : null
  },
  async install() {
    aptInstall('qbittorrent-nox')
  },
  start: (options) => QbittorrentClient.start(options),
}
