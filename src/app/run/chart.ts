/** Width and height that lines are drawn in; the page stretches them. */
export const CHART = { width: 120, height: 40 }

/** A line of scores against time, as points of an SVG polyline. `top` is the greatest score that the chart shows. */
export function pointsOf(line: readonly number[], seconds: number, top: number): string {
  const { width, height } = CHART
  return line
    .map((score, i) => {
      const x = (i / seconds) * width
      const y = height - (top > 0 ? Math.min(1, Math.max(0, score / top)) : 0) * height
      return `${x.toFixed(1)},${y.toFixed(1)}`
    })
    .join(' ')
}
