import { LibtorrentError } from '../../../src/errors/libtorrentError.ts'
import { NodeHttp } from '../../../src/node/nodeHttp.ts'
import type { HttpRequest, HttpResponse } from '../../../src/platform/http.ts'

/** One request by the real HTTP client, with short limits. */
export function get(url: string, changes: Partial<HttpRequest> = {}): Promise<HttpResponse | LibtorrentError> {
  const limits = { completionTimeout: 5000, receiveTimeout: 5000, maxBodyBytes: 100_000 }
  return new Promise((resolve) => {
    new NodeHttp().get({ url, ...limits, ...changes }, resolve)
  })
}

/** The code of the error it ends in, or `status N`. */
export async function outcome(url: string, changes: Partial<HttpRequest> = {}): Promise<string> {
  const result = await get(url, changes)
  return result instanceof LibtorrentError ? result.code : `status ${result.status}`
}

/** A response; an error is thrown. */
export async function response(url: string, changes: Partial<HttpRequest> = {}): Promise<HttpResponse> {
  const result = await get(url, changes)
  if (result instanceof LibtorrentError) throw result
  return result
}

export const textOf = (result: HttpResponse): string => Buffer.from(result.body).toString()
