import { join } from 'node:path'
import { type Fields, numberField } from '../../interop/lib/fields.ts'
import { LineDaemon } from '../../interop/lib/lineDaemon.ts'
import { freePort } from '../../interop/lib/ports.ts'
import { cpuSeconds, type MemoryUse, memoryUse } from './processUsage.ts'

/** A BitTorrent engine behind the line protocol of `interop/clients/libtorrentDaemon.py`. */
export class Engine {
  constructor(
    readonly name: string,
    private readonly command: readonly string[],
    private readonly settings: Fields,
    private readonly logDirectory: string,
  ) {}

  /** @param settings further ones, by libtorrent's names. */
  async start(settings: Fields = {}): Promise<RunningEngine> {
    const log = join(this.logDirectory, `${this.name}.log`)
    const daemon = await LineDaemon.start(this.name, this.command, { log })
    const port = await freePort()
    await daemon.request('start', { port, settings: { ...this.settings, ...settings } })
    return new RunningEngine(daemon, port)
  }
}

export class RunningEngine {
  constructor(
    readonly daemon: LineDaemon,
    readonly port: number,
  ) {}

  async add(fields: {
    source: string
    savePath: string
    seedMode?: boolean
    urlSeeds?: readonly string[]
  }): Promise<number> {
    return numberField(await this.daemon.request('add', fields), 'torrent')
  }

  connect(torrent: number, port: number): Promise<Fields> {
    return this.daemon.request('connect', { torrent, host: '127.0.0.1', port })
  }

  /** Processor seconds of the process tree since it started. */
  cpu(): number {
    return cpuSeconds(this.daemon.process.pid)
  }

  memory(): MemoryUse {
    return memoryUse(this.daemon.process.pid)
  }

  quit(): Promise<void> {
    return this.daemon.quit()
  }
}
