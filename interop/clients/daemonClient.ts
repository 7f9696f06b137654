import { join } from 'node:path'
import { type Fields, numberField } from '../lib/fields.ts'
import { LineDaemon } from '../lib/lineDaemon.ts'
import type { RunningClient, StartOptions } from './client.ts'

const READY_TIMEOUT_MS = 30_000

/** A client behind the line protocol, with one torrent added. */
export class DaemonClient implements RunningClient {
  private constructor(
    readonly name: string,
    readonly port: number,
    readonly daemon: LineDaemon,
    private readonly torrent: number,
  ) {}

  static async start(name: string, command: readonly string[], options: StartOptions): Promise<DaemonClient> {
    const daemon = await LineDaemon.start(name, command, { log: join(options.workDir, `${name}.log`) })
    const settings = {
      ...(options.ssl && { listen_interfaces: `127.0.0.1:0,127.0.0.1:${options.port}s` }),
      ...options.settings,
    }
    const { port } = await daemon.request('start', { port: options.port, settings })
    const added = await daemon.request('add', {
      source: options.source,
      torrent: options.torrent,
      ssl: options.ssl,
      discoverable: options.discoverable ?? false,
      savePath: options.savePath,
      ...options.content,
      peers: options.peers.map((peer) => [peer.host, peer.port]),
      uploadLimit: options.uploadLimit ?? 0,
      downloadLimit: options.downloadLimit ?? 0,
    })
    const client = new DaemonClient(
      name,
      options.ssl ? options.port : Number(port),
      daemon,
      numberField(added, 'torrent'),
    )
    if (options.role === 'seed') await client.finished(READY_TIMEOUT_MS)
    return client
  }

  async progress(): Promise<number> {
    return numberField(await this.ask('status'), 'progress')
  }

  async uploaded(): Promise<number> {
    return numberField(await this.ask('status'), 'uploaded')
  }

  async finished(timeoutMs: number): Promise<void> {
    await this.daemon.event('finished', timeoutMs)
  }

  async peers(): Promise<number> {
    return numberField(await this.ask('status'), 'peers')
  }

  async kill(): Promise<void> {
    await this.daemon.process.kill()
  }

  async stop(): Promise<void> {
    await this.daemon.quit()
  }

  /** A command about its torrent. */
  ask(command: string, fields: Fields = {}): Promise<Fields> {
    return this.daemon.request(command, { torrent: this.torrent, ...fields })
  }
}
