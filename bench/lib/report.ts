import type { Bench, Sample, Target } from './bench.ts'
import { median } from './median.ts'

export interface BenchResult {
  readonly name: string
  readonly title: string
  readonly variants: readonly { readonly name: string; readonly samples: readonly Sample[]; readonly medians: Sample }[]
}

export interface TargetResult {
  readonly text: string
  /** Null when one of its values was not measured. */
  readonly figure: number | null
  readonly reached: boolean | null
}

export function medians(samples: readonly Sample[]): Sample {
  const names = Object.keys(samples[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, median(samples.map((sample) => sample[name] ?? Number.NaN))]))
}

/** A bench's medians, a variant a line; in brackets the range of its first metric. */
export function benchTable({ title, variants }: BenchResult): string {
  const metrics = Object.keys(variants[0]?.medians ?? {})
  const rows = variants.map(({ name, samples, medians: values }) => [
    name,
    ...metrics.map((metric) => format(values[metric])),
    range(samples.map((sample) => sample[metrics[0] ?? ''] ?? Number.NaN)),
  ])
  return [title, ...alignColumns([['', ...metrics, ''], ...rows]).map((line) => `  ${line}`)].join('\n')
}

/** How the figures stand against the targets of `benches`. */
export function judgeTargets(benches: readonly Bench[], results: readonly BenchResult[]): TargetResult[] {
  const figures = new Map(
    results.flatMap((bench) =>
      bench.variants.flatMap((variant) =>
        Object.entries(variant.medians).map(([metric, value]) => [`${bench.name}/${variant.name}/${metric}`, value]),
      ),
    ) as [string, number][],
  )
  return benches.flatMap(({ targets }) => targets.map((target) => judge(target, figures)))
}

export function targetTable(results: readonly TargetResult[]): string {
  const rows = results.map(({ text, figure, reached }) => [
    text,
    figure === null ? '-' : format(figure),
    reached === null ? 'not measured' : reached ? 'reached' : 'MISSED',
  ])
  return alignColumns(rows).join('\n')
}

function judge(
  { text, value, reference, atLeast, atMost }: Target,
  figures: ReadonlyMap<string, number>,
): TargetResult {
  const numerator = figures.get(value)
  const denominator = reference === undefined ? 1 : figures.get(reference)
  if (numerator === undefined || denominator === undefined) return { text, figure: null, reached: null }
  const figure = numerator / denominator
  return { text, figure, reached: figure >= (atLeast ?? -Infinity) && figure <= (atMost ?? Infinity) }
}

function range(values: readonly number[]): string {
  return values.length < 2 ? '' : `(${format(Math.min(...values))} - ${format(Math.max(...values))})`
}

function format(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-'
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
