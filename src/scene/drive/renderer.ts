import * as THREE from 'three'
import type { Pixels } from '../../engine/world'
import { BIOMES } from './captions'
import type { Look } from './look'
import type { CarState } from './physics'
import { RoadFrame } from './road-frame'
import { propsInSlot, SLOT_METRES } from './scenery'
import {
  GROUND_FRAGMENT,
  GROUND_VERTEX,
  OBJECT_FRAGMENT,
  OBJECT_VERTEX,
  SKY_FRAGMENT,
  SKY_VERTEX,
  WEATHER_FRAGMENT,
} from './shaders'
import { archShape, CAR_SIZE, carShape, postShape, SHAPES, type ShapeName } from './shapes'
import { ARCH_SLOT_METRES, elevation, hasArch, PERIOD_METRES, ROAD_HALF_WIDTH, relief } from './track'

export const WIDTH = 160
export const HEIGHT = 96

const FIELD_OF_VIEW = 56
const CAMERA_BACK = 7.2
const CAMERA_UP = 3.1
const FAR = 215
const MAX_PER_SHAPE = 160
/** How far the camera looks ahead of the car along the road, metres. */
const LOOK_AHEAD = 16
/** Lateral offsets of the ground's vertices, metres. */
const COLUMNS = [-120, -66, -42, -28, -20, -14.5, -10.5, -7, 0, 7, 10.5, 14.5, 20, 28, 42, 66, 120]
/** Arc lengths of the ground's vertices, relative to the camera, metres. */
const ROWS = Array.from({ length: 42 }, (_, i) => -2 + i * 2.4 + i * i * 0.072)

type Uniforms = Record<string, THREE.IUniform>

/** Draws the drive world at 160x96 with three.js. Holds no state of the world: a frame is a function of its arguments. */
export class DriveRenderer {
  private readonly renderer: THREE.WebGLRenderer
  private readonly target: THREE.WebGLRenderTarget
  private readonly scene = new THREE.Scene()
  private readonly camera = new THREE.PerspectiveCamera(FIELD_OF_VIEW, WIDTH / HEIGHT, 0.5, 600)
  private readonly uniforms: Uniforms = {}
  private readonly props = new Map<ShapeName, THREE.InstancedMesh>()
  private readonly posts: THREE.InstancedMesh
  private readonly arches: THREE.InstancedMesh
  private readonly car: THREE.Mesh
  private readonly weather: THREE.Mesh
  private readonly ground: THREE.BufferGeometry
  private readonly width: number
  private readonly height: number
  private readonly raw: Uint8Array
  private readonly matrix = new THREE.Matrix4()
  private readonly dummy = new THREE.Object3D()

  /** `scale` 2 draws at twice the width and height. */
  constructor(canvas?: HTMLCanvasElement | OffscreenCanvas, scale: 1 | 2 = 1) {
    this.width = WIDTH * scale
    this.height = HEIGHT * scale
    this.raw = new Uint8Array(this.width * this.height * 4)
    THREE.ColorManagement.enabled = false
    this.renderer = new THREE.WebGLRenderer({ canvas: canvas as HTMLCanvasElement, antialias: false })
    this.renderer.outputColorSpace = THREE.LinearSRGBColorSpace
    this.renderer.autoClear = false
    this.target = new THREE.WebGLRenderTarget(this.width, this.height, { samples: 4 })
    this.scene.matrixWorldAutoUpdate = true

    const objects = this.material(OBJECT_VERTEX, OBJECT_FRAGMENT)
    for (const name of Object.keys(SHAPES) as ShapeName[]) {
      this.props.set(name, this.instanced(SHAPES[name](), objects, MAX_PER_SHAPE))
    }
    this.posts = this.instanced(postShape(), objects, 64)
    this.arches = this.instanced(archShape(ROAD_HALF_WIDTH + 3.6), objects, 4)
    this.car = new THREE.Mesh(carShape(), objects)
    this.ground = this.groundGeometry()
    const ground = new THREE.Mesh(this.ground, this.material(GROUND_VERTEX, GROUND_FRAGMENT))
    const sky = new THREE.Mesh(new THREE.PlaneGeometry(2, 2), this.material(SKY_VERTEX, SKY_FRAGMENT))
    const weather = new THREE.Mesh(sky.geometry, this.material(SKY_VERTEX, WEATHER_FRAGMENT))
    const veil = weather.material as THREE.ShaderMaterial
    veil.transparent = true
    veil.depthTest = false
    // The sky comes after what hides it, so that hidden pixels cost nothing.
    sky.renderOrder = 5
    weather.renderOrder = 10
    this.weather = weather
    for (const mesh of [ground, sky, weather, this.car]) {
      mesh.frustumCulled = false
      this.scene.add(mesh)
    }
  }

  /** Draws one frame and reads it back. */
  render(seed: number, tick: number, car: CarState, braking: boolean, look: Look): Pixels {
    this.pose(seed, tick, car, braking, look)
    this.renderer.setRenderTarget(this.target)
    this.renderer.clear()
    this.renderer.render(this.scene, this.camera)
    const { width, height } = this
    this.renderer.readRenderTargetPixels(this.target, 0, 0, width, height, this.raw)
    const data = new Uint8ClampedArray(width * height * 4)
    const row = width * 4
    for (let y = 0; y < height; y++)
      data.set(this.raw.subarray(y * row, y * row + row), (height - 1 - y) * row)
    for (let i = 3; i < data.length; i += 4) data[i] = 255
    return { width, height, data }
  }

  /** Where the car is seen in the frame drawn last: centre x, centre y, width and height in pixels. */
  carBox(): [number, number, number, number] {
    const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
    const { halfWidth, height: tall, halfLength } = CAR_SIZE
    for (const corner of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const p = new THREE.Vector3(
        corner & 1 ? halfWidth : -halfWidth,
        corner & 2 ? tall : 0,
        corner & 4 ? halfLength : -halfLength,
      )
      p.applyMatrix4(this.car.matrixWorld).project(this.camera)
      const at = [((p.x + 1) / 2) * this.width, ((1 - p.y) / 2) * this.height]
      for (const axis of [0, 1]) {
        low[axis] = Math.min(low[axis]!, at[axis]!)
        high[axis] = Math.max(high[axis]!, at[axis]!)
      }
    }
    return [(low[0]! + high[0]!) / 2, (low[1]! + high[1]!) / 2, high[0]! - low[0]!, high[1]! - low[1]!]
  }

  dispose(): void {
    this.scene.traverse((object) => {
      if (object instanceof THREE.Mesh) {
        object.geometry.dispose()
        ;(object.material as THREE.Material).dispose()
      }
    })
    this.target.dispose()
    this.renderer.dispose()
    this.renderer.forceContextLoss()
  }

  private pose(seed: number, tick: number, car: CarState, braking: boolean, look: Look): void {
    const from = car.s - CAMERA_BACK - 4
    const road = new RoadFrame(seed, from, FAR + 20)
    const eyeAt = road.at(car.s - CAMERA_BACK, car.camD)
    const carAt = road.at(car.s, car.d)
    // Along the road and not where the bonnet points, so that the road is in view whatever the hands do.
    const ahead = road.at(car.s + LOOK_AHEAD, 0)
    const yaw = ahead.yaw * 0.55 + carAt.yaw * 0.45 + car.camPsi
    const base = elevation(seed, car.s - CAMERA_BACK) * 0.5 + elevation(seed, car.s) * 0.5
    const slope = (elevation(seed, car.s + 26) - elevation(seed, car.s)) / 26
    const pitch = -0.115 + slope * 0.55
    const eye = new THREE.Vector3(eyeAt.x, base + CAMERA_UP, eyeAt.z)
    this.camera.position.copy(eye)
    this.camera.rotation.set(pitch, -yaw, 0, 'YXZ')

    const carY = elevation(seed, car.s) + relief(seed, car.s, car.d)
    const carYaw = carAt.yaw + car.psi + car.wheel * 0.12
    this.car.position.set(carAt.x, carY, carAt.z)
    this.car.rotation.set(slope * 0.7 + car.pitch * 0.035, -carYaw, -car.wheel * 0.075, 'YXZ')
    this.fillGround(seed, road, car.s - CAMERA_BACK)
    this.placeProps(seed, road, car.s, look)
    this.placePosts(seed, road, car.s)
    this.setLook(seed, tick, look, eye, yaw, pitch, car, carAt.x, carY, carAt.z, carYaw, braking)
  }

  private setLook(
    seed: number,
    tick: number,
    look: Look,
    eye: THREE.Vector3,
    yaw: number,
    pitch: number,
    car: CarState,
    carX: number,
    carY: number,
    carZ: number,
    carYaw: number,
    braking: boolean,
  ): void {
    const u = this.uniforms
    this.weather.visible = look.rain + look.flakes > 0
    const phase = (seed % 997) * 0.37
    // The road frame is turned by the heading travelled so far, so that hills and sun stay put in the world.
    const heading = car.roadYaw
    const sunAzimuth = phase + 0.6
    const local = sunAzimuth - heading
    const vector = (name: string, v: readonly number[]) =>
      (u[name]!.value as THREE.Vector3).set(v[0]!, v[1]!, v[2]!)
    for (const name of [
      'skyTop',
      'skyHorizon',
      'glow',
      'sunColor',
      'ambient',
      'groundA',
      'groundB',
      'hillNear',
      'hillFar',
    ] as const) {
      vector(name, look[name])
    }
    vector('roadColor', look.road)
    vector('lineColor', look.line)
    vector('kerbColor', look.kerb)
    vector('eye', eye.toArray())
    vector('carPos', [carX, carY + 0.7, carZ])
    vector('carDir', [Math.sin(carYaw), -0.06, -Math.cos(carYaw)])
    const flat = Math.cos(look.sunHeight + 0.35)
    vector('sunDir', [Math.sin(local) * flat, Math.sin(look.sunHeight + 0.35), -Math.cos(local) * flat])
    const numbers: Record<string, number> = {
      fog: look.fog,
      headlights: look.headlights,
      rearGlow: braking ? 1 : 0.25 + 0.5 * look.headlights,
      wet: look.wet,
      lava: look.lava,
      halfWidth: ROAD_HALF_WIDTH,
      period: PERIOD_METRES,
      seed: phase,
      yaw: heading + yaw,
      pitch,
      aspect: WIDTH / HEIGHT,
      tanHalf: Math.tan((FIELD_OF_VIEW * Math.PI) / 360),
      sunHeight: look.sunHeight,
      sunAzimuth,
      sunSize: look.sunSize,
      hillHeight: look.hillHeight,
      hillSharp: look.hillSharp,
      overcast: look.overcast,
      stars: look.stars,
      time: (tick % 20) / 20,
      rain: look.rain,
      flakes: look.flakes,
    }
    for (const [name, value] of Object.entries(numbers)) u[name]!.value = value
  }

  private fillGround(seed: number, road: RoadFrame, s0: number): void {
    const position = this.ground.getAttribute('position') as THREE.BufferAttribute
    const normal = this.ground.getAttribute('normal') as THREE.BufferAttribute
    const coords = this.ground.getAttribute('road') as THREE.BufferAttribute
    let v = 0
    for (const row of ROWS) {
      const s = s0 + row
      const y = elevation(seed, s)
      const rise = (elevation(seed, s + 2) - y) / 2
      const centre = road.at(s, 0)
      const cx = Math.cos(centre.yaw)
      const sx = Math.sin(centre.yaw)
      for (const d of COLUMNS) {
        const height = relief(seed, s, d)
        const lean = (relief(seed, s, d + 1) - height) / 1
        position.setXYZ(v, centre.x + cx * d, y + height, centre.z + sx * d)
        const n = 1 / Math.hypot(lean, 1, rise)
        normal.setXYZ(v, (-lean * cx - rise * sx) * n, n, (-lean * sx + rise * cx) * n)
        coords.setXY(v, s, d)
        v++
      }
    }
    position.needsUpdate = normal.needsUpdate = coords.needsUpdate = true
  }

  private placeProps(seed: number, road: RoadFrame, s: number, look: Look): void {
    for (const mesh of this.props.values()) mesh.count = 0
    const first = Math.ceil((s - CAMERA_BACK) / SLOT_METRES)
    const last = Math.floor((s + FAR - 20) / SLOT_METRES)
    BIOMES.forEach((biome, b) => {
      const share = look.biome[b]!
      if (share < 0.02) return
      for (let slot = first; slot <= last; slot++) {
        for (const prop of propsInSlot(seed, slot, biome)) {
          const ps = slot * SLOT_METRES
          const y = elevation(seed, ps) + relief(seed, ps, prop.d)
          // Things grow in out of the distance rather than pop.
          const grow = Math.min(1, (s + FAR - 15 - ps) / 40) * share
          this.place(
            this.props.get(prop.shape)!,
            road,
            ps,
            prop.d,
            y,
            prop.scale * grow,
            prop.turn,
            prop.shade,
          )
        }
      }
    })
    for (const mesh of this.props.values()) this.commit(mesh)
  }

  private placePosts(seed: number, road: RoadFrame, s: number): void {
    this.posts.count = 0
    for (let i = Math.ceil((s - CAMERA_BACK) / PERIOD_METRES); i * PERIOD_METRES < s + 170; i++) {
      for (const d of [-ROAD_HALF_WIDTH - 3.4, ROAD_HALF_WIDTH + 3.4]) {
        const ps = i * PERIOD_METRES
        this.place(this.posts, road, ps, d, elevation(seed, ps) + relief(seed, ps, d), 1.3, 0, 1)
      }
    }
    this.commit(this.posts)
    this.arches.count = 0
    for (let i = Math.ceil((s - CAMERA_BACK) / ARCH_SLOT_METRES); i * ARCH_SLOT_METRES < s + FAR - 20; i++) {
      const ps = i * ARCH_SLOT_METRES
      if (hasArch(seed, i)) this.place(this.arches, road, ps, 0, elevation(seed, ps), 1, 0, 1)
    }
    this.commit(this.arches)
  }

  private place(
    mesh: THREE.InstancedMesh,
    road: RoadFrame,
    s: number,
    d: number,
    y: number,
    scale: number,
    turn: number,
    shade: number,
  ): void {
    if (mesh.count >= mesh.instanceMatrix.count) return
    const p = road.at(s, d)
    this.dummy.position.set(p.x, y, p.z)
    this.dummy.rotation.set(0, turn - p.yaw, 0)
    this.dummy.scale.setScalar(Math.max(scale, 1e-3))
    this.dummy.updateMatrix()
    this.matrix.copy(this.dummy.matrix)
    mesh.setMatrixAt(mesh.count, this.matrix)
    mesh.instanceColor!.setXYZ(mesh.count, shade, shade, shade)
    mesh.count++
  }

  /** Uploads only what is used: whole buffers cost more than drawing. */
  private commit(mesh: THREE.InstancedMesh): void {
    mesh.visible = mesh.count > 0
    if (!mesh.visible) return
    for (const [attribute, size] of [
      [mesh.instanceMatrix, 16],
      [mesh.instanceColor!, 3],
    ] as const) {
      attribute.clearUpdateRanges()
      attribute.addUpdateRange(0, mesh.count * size)
      attribute.needsUpdate = true
    }
  }

  private instanced(
    geometry: THREE.BufferGeometry,
    material: THREE.Material,
    max: number,
  ): THREE.InstancedMesh {
    const mesh = new THREE.InstancedMesh(geometry, material, max)
    mesh.instanceColor = new THREE.InstancedBufferAttribute(new Float32Array(max * 3).fill(1), 3)
    mesh.instanceMatrix.setUsage(THREE.DynamicDrawUsage)
    mesh.frustumCulled = false
    mesh.count = 0
    this.scene.add(mesh)
    return mesh
  }

  private groundGeometry(): THREE.BufferGeometry {
    const count = ROWS.length * COLUMNS.length
    const geometry = new THREE.BufferGeometry()
    const dynamic = (size: number) =>
      new THREE.BufferAttribute(new Float32Array(count * size), size).setUsage(THREE.DynamicDrawUsage)
    geometry.setAttribute('position', dynamic(3))
    geometry.setAttribute('normal', dynamic(3))
    geometry.setAttribute('road', dynamic(2))
    const index: number[] = []
    for (let r = 0; r + 1 < ROWS.length; r++) {
      for (let c = 0; c + 1 < COLUMNS.length; c++) {
        const a = r * COLUMNS.length + c
        const b = a + COLUMNS.length
        index.push(a, a + 1, b, a + 1, b + 1, b)
      }
    }
    geometry.setIndex(index)
    return geometry
  }

  /** All materials share one table of uniforms. */
  private material(vertexShader: string, fragmentShader: string): THREE.ShaderMaterial {
    const names = `${vertexShader}${fragmentShader}`.matchAll(/uniform\s+(vec3|float)\s+([^;]+);/g)
    for (const [, type, list] of names) {
      for (const name of list!.split(',').map((word) => word.trim())) {
        this.uniforms[name] ??= { value: type === 'vec3' ? new THREE.Vector3() : 0 }
      }
    }
    const material = new THREE.ShaderMaterial({ vertexShader, fragmentShader, uniforms: {} })
    material.uniforms = this.uniforms
    return material
  }
}
