import type { SimHost } from '../../sim/simHost.ts'
import type { WebReply, WebRequest } from '../../sim/simWeb.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import type { TestTorrent } from '../../sim/testTorrent.ts'

/** Something other than the file, or null for the file. */
type Instead = (request: WebRequest, n: number) => WebReply | null

/** A web server with the files of a torrent, that says what it was asked for. */
export class FileServer {
  /** Paths that were asked for, first to last. */
  readonly paths: string[] = []
  readonly requests: WebRequest[] = []
  /** Bytes of files it has sent, or begun to. */
  sentBytes = 0

  constructor(
    readonly world: SimWorld,
    readonly host: SimHost,
    readonly content: TestTorrent,
    readonly origin: string,
    private readonly instead: Instead = () => null,
  ) {
    const { hostname } = new URL(origin)
    world.names.set(hostname, host.addresses)
    this.start()
  }

  /** The URL of the directory the torrent is in. */
  get url(): string {
    return `${this.origin}/pub/`
  }

  start(): void {
    this.world.web.serve(this.origin, this.host, (request) => this.respond(request))
  }

  stop(): void {
    this.world.web.stop(this.origin)
  }

  private respond(request: WebRequest): WebReply {
    this.paths.push(request.path)
    this.requests.push(request)
    const other = this.instead(request, this.requests.length)
    if (other !== null) return other
    const path = decodeURIComponent(request.path).replace('/pub/', '')
    const file = this.content.files.find((each) => each.path === path && !each.pad)
    if (file === undefined) return { status: 404, body: 'not found' }
    const bytes = this.content.fileContent(file)
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (range === null) return { status: 200, headers: { 'content-length': String(bytes.length) }, body: bytes }
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)]
    this.sentBytes += to + 1 - from
    return {
      status: 206,
      headers: {
        'content-length': String(to + 1 - from),
        'content-range': `bytes ${from}-${to}/${bytes.length}`,
        server: 'simserver/1.0',
      },
      body: bytes.subarray(from, to + 1),
    }
  }
}
