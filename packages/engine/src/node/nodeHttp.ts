import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../platform/http.ts'
import { HttpExchange } from './httpExchange.ts'

/**
 * HTTP(S) by Node's own client, which is loaded with the first request: it takes 10 ms, where undici takes 100, a third
 * of the time from start to the first peer. Each hop has a connection of its own that is not used again, so that an
 * address approved for one request never serves another.
 */
export class NodeHttp implements HttpClient {
  get(request: HttpRequest, done: (result: HttpResponse | LibtorrentError) => void): () => void {
    const exchange = new HttpExchange(request, done)
    exchange.start()
    return () => exchange.cancel()
  }
}
