import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import type { Stream, StreamHandler, TcpConnectOptions, TcpListener } from '../../../src/platform/tcp.ts'
import { concatBytes } from '../../../src/util/bytes.ts'

/** A stream and everything it ever told its handler. */
export class Recorder implements StreamHandler {
  readonly chunks: Uint8Array[] = []
  readonly calls: string[] = []
  stream!: Stream
  drains = 0
  connected = false
  closed: LibtorrentError | null | undefined = undefined
  onChunk: (size: number) => void = () => {}
  onDrained: () => void = () => {}

  onConnected(): void {
    this.calls.push('connected')
    this.connected = true
  }

  onData(chunk: Uint8Array): void {
    this.calls.push('data')
    this.chunks.push(new Uint8Array(chunk))
    this.onChunk(chunk.length)
  }

  onDrain(): void {
    this.calls.push('drain')
    this.drains++
    this.onDrained()
  }

  onClosed(error: LibtorrentError | null): void {
    this.calls.push(error === null ? 'closed' : `closed ${error.code}`)
    this.closed = error
  }

  get received(): Uint8Array {
    return concatBytes(...this.chunks)
  }

  get receivedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }
}

export function dial(platform: Platform, remote: Endpoint, options: TcpConnectOptions = {}): Recorder {
  const recorder = new Recorder()
  recorder.stream = platform.tcp.connect(remote, options, recorder)
  return recorder
}

/** Listens and keeps what is accepted. The listener is there after the next turn. */
export class Acceptor {
  readonly accepted: Recorder[] = []
  listener: TcpListener | null = null
  error: LibtorrentError | null = null

  constructor(platform: Platform, local: Endpoint, prepare: (recorder: Recorder) => void = () => {}) {
    platform.tcp.listen(
      local,
      (stream) => {
        const recorder = new Recorder()
        recorder.stream = stream
        stream.setHandler(recorder)
        prepare(recorder)
        this.accepted.push(recorder)
      },
      (result) => {
        if ('code' in result) this.error = result
        else this.listener = result
      },
    )
  }
}
