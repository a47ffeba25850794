import * as THREE from 'three'
import { mergeGeometries } from 'three/addons/utils/BufferGeometryUtils.js'

type Rgb = readonly [number, number, number]

/** Gives every vertex one colour; `glow` is how much of it ignores the light (2 = a tail lamp). */
function tinted(geometry: THREE.BufferGeometry, color: Rgb, glow = 0): THREE.BufferGeometry {
  const flat = geometry.index ? geometry.toNonIndexed() : geometry
  flat.deleteAttribute('uv')
  flat.computeVertexNormals()
  const count = flat.getAttribute('position').count
  const tint = new Float32Array(count * 4)
  for (let i = 0; i < count; i++) tint.set([...color, glow], i * 4)
  flat.setAttribute('tint', new THREE.BufferAttribute(tint, 4))
  return flat
}

function at(geometry: THREE.BufferGeometry, x: number, y: number, z: number): THREE.BufferGeometry {
  return geometry.translate(x, y, z)
}

function box(w: number, h: number, d: number, x: number, y: number, z: number, color: Rgb, glow = 0) {
  return tinted(at(new THREE.BoxGeometry(w, h, d), x, y, z), color, glow)
}

function cone(r: number, h: number, sides: number, y: number, color: Rgb) {
  return tinted(at(new THREE.ConeGeometry(r, h, sides), 0, y + h / 2, 0), color)
}

function trunk(r: number, h: number, color: Rgb) {
  return tinted(at(new THREE.CylinderGeometry(r * 0.8, r, h, 5), 0, h / 2, 0), color)
}

function blob(r: number, x: number, y: number, z: number, squash: number, color: Rgb, detail = 0) {
  const ball = new THREE.IcosahedronGeometry(r, detail).scale(1, squash, 1)
  return tinted(at(ball, x, y, z), color)
}

function rock(r: number, h: number, color: Rgb) {
  return tinted(at(new THREE.DodecahedronGeometry(r, 0).scale(1.1, h / r, 0.9), 0, h * 0.35, 0), color)
}

const WOOD: Rgb = [0.42, 0.28, 0.18]

/** Scenery by kind, standing on y = 0, about life size in metres. */
export const SHAPES = {
  roundTree: () =>
    merge([
      trunk(0.4, 2.6, WOOD),
      blob(2.5, 0, 4.4, 0, 0.95, [0.3, 0.62, 0.2], 1),
      blob(1.6, 1.0, 5.7, 0.4, 0.9, [0.4, 0.72, 0.26]),
    ]),
  bush: () =>
    merge([blob(1.5, 0, 0.8, 0, 0.75, [0.34, 0.58, 0.2]), blob(1.0, 1.1, 0.6, 0.4, 0.75, [0.86, 0.44, 0.5])]),
  pine: () =>
    merge([
      trunk(0.45, 2, WOOD),
      cone(2.7, 4.6, 6, 1.4, [0.1, 0.34, 0.2]),
      cone(2.1, 4.2, 6, 4.2, [0.13, 0.4, 0.23]),
      cone(1.4, 3.8, 6, 7, [0.16, 0.46, 0.26]),
    ]),
  snowPine: () =>
    merge([
      trunk(0.4, 1.6, WOOD),
      cone(2.4, 3.8, 7, 1.2, [0.24, 0.42, 0.42]),
      cone(2.1, 3.2, 7, 3.2, [0.86, 0.92, 0.98]),
      cone(1.3, 2.8, 7, 5.5, [0.93, 0.97, 1]),
    ]),
  cactus: () =>
    merge([
      tinted(at(new THREE.CylinderGeometry(0.5, 0.6, 4.8, 6), 0, 2.4, 0), [0.27, 0.5, 0.24]),
      box(1.6, 0.6, 0.6, 0.9, 2.5, 0, [0.27, 0.5, 0.24]),
      box(0.6, 1.9, 0.6, 1.6, 3.2, 0, [0.3, 0.55, 0.26]),
      box(1.4, 0.55, 0.55, -0.8, 1.8, 0, [0.25, 0.46, 0.22]),
      box(0.55, 1.5, 0.55, -1.4, 2.3, 0, [0.3, 0.55, 0.26]),
    ]),
  mesa: () =>
    merge([
      rock(2.2, 3.2, [0.78, 0.42, 0.24]),
      tinted(at(new THREE.CylinderGeometry(1.1, 1.7, 2.4, 6), 0.3, 3, 0), [0.86, 0.52, 0.3]),
    ]),
  boulder: () => merge([rock(1.5, 1.8, [0.6, 0.64, 0.72])]),
  spire: () =>
    merge([
      cone(1.7, 7.5, 5, -0.3, [0.15, 0.1, 0.12]),
      tinted(at(new THREE.ConeGeometry(1.1, 3.6, 5), 1.5, 1.7, 0.4), [0.2, 0.12, 0.13]),
    ]),
  ember: () =>
    merge([
      rock(1.5, 1.5, [0.18, 0.11, 0.12]),
      tinted(at(new THREE.ConeGeometry(0.85, 1.3, 5), 0, 1.6, 0), [1, 0.42, 0.1], 1),
    ]),
} as const

export type ShapeName = keyof typeof SHAPES

function merge(parts: THREE.BufferGeometry[]): THREE.BufferGeometry {
  const merged = mergeGeometries(parts)
  if (!merged) throw new Error('The parts of a shape must have the same attributes.')
  return merged
}

/** A roadside post with a bright cap. */
export function postShape(): THREE.BufferGeometry {
  return merge([
    box(0.44, 1.15, 0.44, 0, 0.57, 0, [0.95, 0.95, 0.95]),
    box(0.5, 0.5, 0.5, 0, 1.2, 0, [1, 0.5, 0.12], 0.7),
  ])
}

/** A gate over the road, `half` metres to each side. */
export function archShape(half: number): THREE.BufferGeometry {
  const red: Rgb = [0.82, 0.2, 0.16]
  return merge([
    box(0.9, 7.2, 0.9, -half, 3.6, 0, red),
    box(0.9, 7.2, 0.9, half, 3.6, 0, red),
    box(half * 2 + 4, 0.9, 1.1, 0, 7.2, 0, red),
    box(half * 2 + 1, 0.6, 0.8, 0, 5.7, 0, [0.95, 0.9, 0.82]),
  ])
}

/** What the car fills, metres: for where it is seen. */
export const CAR_SIZE = { halfWidth: 0.98, height: 1.45, halfLength: 2.1 }

/** The car, nose toward -z, wheels on y = 0. */
export function carShape(): THREE.BufferGeometry {
  const body: Rgb = [0.93, 0.2, 0.13]
  const dark: Rgb = [0.1, 0.11, 0.14]
  return merge([
    box(1.9, 0.5, 4.1, 0, 0.62, 0, body),
    box(1.84, 0.26, 1.5, 0, 0.92, 1.2, [0.86, 0.16, 0.11]),
    box(1.5, 0.5, 1.7, 0, 1.12, 0.25, dark),
    box(1.34, 0.1, 1.4, 0, 1.4, 0.25, body),
    box(1.95, 0.1, 0.45, 0, 1.32, 1.95, [0.98, 0.86, 0.3]),
    box(0.12, 0.3, 0.2, -0.7, 1.15, 1.95, dark),
    box(0.12, 0.3, 0.2, 0.7, 1.15, 1.95, dark),
    box(1.7, 0.2, 0.06, 0, 0.46, 2.06, dark),
    box(0.5, 0.22, 0.08, -0.62, 0.76, 2.06, [1, 0.12, 0.08], 2),
    box(0.5, 0.22, 0.08, 0.62, 0.76, 2.06, [1, 0.12, 0.08], 2),
    box(0.36, 0.66, 0.76, -0.92, 0.33, 1.25, dark),
    box(0.36, 0.66, 0.76, 0.92, 0.33, 1.25, dark),
    box(0.36, 0.66, 0.76, -0.92, 0.33, -1.25, dark),
    box(0.36, 0.66, 0.76, 0.92, 0.33, -1.25, dark),
  ])
}
