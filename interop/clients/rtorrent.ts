import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { aptInstall, findProgram } from '../lib/install.ts'
import { freePort, isListening } from '../lib/ports.ts'
import { OwnedProcess } from '../lib/processes.ts'
import { waitUntil, within } from '../lib/wait.ts'
import type { ClientKind, RunningClient, StartOptions } from './client.ts'

const PROGRAM = 'rtorrent'
const READY_TIMEOUT_MS = 30_000
const CALL_TIMEOUT_MS = 5000

/** rTorrent without its terminal, steered by XML-RPC over SCGI. */
class RtorrentClient implements RunningClient {
  readonly name = 'rtorrent'
  readonly port: number
  private infoHash = ''
  /** Of a magnet link, until it has become a torrent. */
  private isMeta = false

  private constructor(
    private readonly options: StartOptions,
    private readonly owned: OwnedProcess,
    private readonly rpcPort: number,
  ) {
    this.port = options.port
  }

  static async start(options: StartOptions): Promise<RtorrentClient> {
    const session = join(options.workDir, 'session')
    mkdirSync(session, { recursive: true })
    const rpcPort = await freePort()
    writeFileSync(join(options.workDir, '.rtorrent.rc'), commandsFor(options, session, rpcPort).join('\n'))
    const command = [findProgram(PROGRAM) ?? PROGRAM]
    const owned = OwnedProcess.start('rtorrent', command, {
      log: join(options.workDir, 'rtorrent.log'),
      env: { TERM: 'dumb', HOME: options.workDir },
    })
    const client = new RtorrentClient(options, owned, rpcPort)
    await waitUntil(READY_TIMEOUT_MS, 'rtorrent listening', () => client.isUp())
    await client.call('load.start', '', options.source)
    await waitUntil(READY_TIMEOUT_MS, 'rtorrent loading', async () => {
      client.infoHash = /<string>([0-9A-F]{40})</.exec(await client.call('download_list', ''))?.[1] ?? ''
      return client.infoHash !== ''
    })
    await waitUntil(READY_TIMEOUT_MS, 'rtorrent starting', async () => (await client.number('d.is_active')) === 1)
    if (options.role === 'seed') {
      await waitUntil(READY_TIMEOUT_MS, 'rtorrent seeding', async () => (await client.number('d.complete')) === 1)
    }
    client.isMeta = options.source.startsWith('magnet:')
    await client.addPeers()
    return client
  }

  async progress(): Promise<number> {
    if ((await this.number('d.is_meta')) === 1) return 0
    return (await this.number('d.completed_chunks')) / (await this.number('d.size_chunks'))
  }

  async uploaded(): Promise<number> {
    return this.number('d.up.total')
  }

  async finished(timeoutMs: number): Promise<void> {
    await waitUntil(timeoutMs, 'rtorrent finished', async () => {
      if (!this.owned.alive) throw new Error(`rtorrent ended:\n${this.owned.logTail()}`)
      return this.isComplete()
    })
  }

  async kill(): Promise<void> {
    await this.owned.kill()
  }

  async stop(): Promise<void> {
    await this.owned.end('SIGTERM', 2000)
  }

  private async isComplete(): Promise<boolean> {
    // A magnet link becomes another torrent of the same hash, without the peers; between the two there is none.
    const isMeta = await this.number('d.is_meta').catch(() => 1)
    if (isMeta === 1) return false
    if (this.isMeta) await this.addPeers()
    this.isMeta = false
    return (await this.number('d.complete')) === 1
  }

  private async addPeers(): Promise<void> {
    for (const { host, port } of this.options.peers) await this.call('add_peer', this.infoHash, `${host}:${port}`)
  }

  private async isUp(): Promise<boolean> {
    if (!this.owned.alive) throw new Error(`rtorrent ended:\n${this.owned.logTail()}`)
    return isListening(this.port) && isListening(this.rpcPort)
  }

  private async number(method: string): Promise<number> {
    return Number(/<i[48]>(-?\d+)</.exec(await this.call(method, this.infoHash))?.[1])
  }

  /** The text of the answer. */
  private async call(method: string, ...params: readonly string[]): Promise<string> {
    const values = params.map((param) => `<param><value><string>${escapeXml(param)}</string></value></param>`)
    const body = Buffer.from(
      `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values.join('')}</params></methodCall>`,
    )
    const headers = `CONTENT_LENGTH\0${body.length}\0SCGI\x001\0`
    const request = Buffer.concat([Buffer.from(`${headers.length}:${headers},`), body])
    const answer = await within(CALL_TIMEOUT_MS, `rtorrent ${method}`, exchange(this.rpcPort, request))
    if (!answer.includes('<methodResponse>') || answer.includes('<fault>'))
      throw new Error(`rtorrent ${method}: ${answer}`)
    return answer
  }
}

/** Sends `request` to a port of 127.0.0.1 and resolves with all that comes back. */
function exchange(port: number, request: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => void socket.write(request))
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      answer += text
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer))
  })
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function commandsFor(options: StartOptions, session: string, rpcPort: number): string[] {
  const { encryption } = options
  const kilobytes = (limit: number | undefined) => Math.round((limit ?? 0) / 1024)
  return [
    'system.daemon.set=true',
    'network.bind_address.set=127.0.0.1',
    `network.port_range.set=${options.port}-${options.port}`,
    'network.port_random.set=no',
    `network.scgi.open_port=127.0.0.1:${rpcPort}`,
    `session.path.set=${session}`,
    `directory.default.set=${options.savePath}`,
    // Off and not disabled: without trackers and without a DHT it takes no torrent.
    'dht.mode.set=off',
    'protocol.pex.set=no',
    'trackers.use_udp.set=yes',
    ...(encryption === 'required' ? ['protocol.encryption.set=allow_incoming,require,require_RC4'] : []),
    `throttle.global_up.max_rate.set_kb=${kilobytes(options.uploadLimit)}`,
    `throttle.global_down.max_rate.set_kb=${kilobytes(options.downloadLimit)}`,
  ]
}

export const rtorrent: ClientKind = {
  name: 'rtorrent',
  connects: true,
  limits: true,
  leavesOutEmptyFiles: false,
  async missing() {
    return findProgram(PROGRAM) === null ? PROGRAM : null
  },
  async install() {
    aptInstall('rtorrent')
  },
  start: (options) => RtorrentClient.start(options),
}
