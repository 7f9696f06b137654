import type { PublicName } from './publicApi.ts'

/**
 * Types that users fill in, or that are handed to what users write: of these every field must say what it means, its
 * unit and its default. Others may explain several fields with one comment.
 */
const FILLED_IN = /(?:Options|Params|Limits|Spec|Request|Response|Record)$/
const ALSO_FILLED_IN = new Set([
  'Clock',
  'FileStat',
  'HashedFiles',
  'Platform',
  'Random',
  'Resolver',
  'ScriptedReply',
  'Stream',
  'StreamHandler',
  'StorageFile',
  'StorageInterface',
  'Tcp',
  'TcpListener',
  'TestFile',
  'Timer',
  'Timers',
  'Udp',
  'UdpHandler',
  'UdpSocket',
])

/** What users see of an entry point without being told what it is. */
export function missingDocs(entryPoint: string, api: ReadonlyMap<string, PublicName>): readonly string[] {
  const problems: string[] = []
  for (const { name, doc, members, memberDocs } of api.values()) {
    if (doc === '') problems.push(`${entryPoint}: ${name} has no doc comment`)
    if (!FILLED_IN.test(name) && !ALSO_FILLED_IN.has(name)) continue
    for (const member of members) {
      if (!memberDocs.has(member)) problems.push(`${entryPoint}: ${name}.${member} has no doc comment`)
    }
  }
  return problems
}
