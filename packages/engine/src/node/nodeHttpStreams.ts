import type {
  HttpStream,
  HttpStreamClient,
  HttpStreamHandler,
  HttpStreamRequest,
  HttpStreams,
} from '../platform/httpStream.ts'
import { HttpConnections } from './httpConnections.ts'
import { NodeHttpStream } from './nodeHttpStream.ts'

/**
 * Streams over sockets that are read into one buffer, without the streams and a buffer for each read that Node's own HTTP
 * client costs: half of the processor time of a download from a fast server (bench/README.md).
 */
export class NodeHttpStreams implements HttpStreams {
  newClient(maxIdle: number): HttpStreamClient {
    return new NodeHttpStreamClient(maxIdle)
  }
}

class NodeHttpStreamClient implements HttpStreamClient {
  private readonly connections: HttpConnections

  constructor(maxIdle: number) {
    this.connections = new HttpConnections(maxIdle)
  }

  open(request: HttpStreamRequest, handler: HttpStreamHandler): HttpStream {
    const stream = new NodeHttpStream(request, handler, this.connections)
    stream.start()
    return stream
  }

  close(): void {
    // Connections in use belong to streams, which their owners abort.
    this.connections.close()
  }
}
