/** GLSL of the drive world. Colours are display values; nothing is converted on the way out. */

const COMMON = /* glsl */ `
uniform vec3 ambient, sunColor, sunDir, skyHorizon, glow, carPos, carDir, eye;
uniform float fog, headlights, rearGlow;
vec3 lit(vec3 albedo, vec3 n, vec3 p) {
  vec3 light = ambient * (0.82 + 0.18 * n.y) + sunColor * max(dot(n, sunDir), 0.0) * 1.15;
  if (headlights > 0.0) {
    vec3 to = p - carPos;
    float along = dot(to, carDir);
    float side = length(to - along * carDir);
    float cone = smoothstep(0.62, 0.16, side / (along + 2.5)) * smoothstep(0.2, 5.0, along);
    light += headlights * vec3(1.0, 0.93, 0.75) * cone * 1.25 / (1.0 + along * along * 0.0016);
  }
  return albedo * light;
}
vec3 fogged(vec3 c, vec3 p) {
  float d = length(p - eye);
  float f = 1.0 - exp(-d * fog - d * d * fog * 0.0035);
  vec3 dir = normalize(p - eye);
  vec3 tone = skyHorizon + glow * 0.25 * pow(max(dot(dir, sunDir), 0.0), 6.0);
  return mix(c, tone, clamp(f, 0.0, 1.0));
}
`

/** A number in [0, 1) for a lattice point. Of whole numbers, so that stars, rain and snow are the same on every GPU. */
const CELL = /* glsl */ `
float cell(vec2 p) {
  uvec2 q = uvec2(ivec2(floor(p + 0.5)));
  uint h = (q.x * 0x85ebca6bu) ^ (q.y * 0xc2b2ae35u + 0x9e3779b9u);
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  h = (h ^ (h >> 15u)) * 0x846ca68bu;
  return float((h ^ (h >> 16u)) >> 8u) / 16777216.0;
}
`

export const OBJECT_VERTEX = /* glsl */ `
attribute vec4 tint;
varying vec3 vNormal, vPos;
varying vec4 vTint;
void main() {
  vec4 world = modelMatrix * vec4(position, 1.0);
  vec3 n = normal;
  vec3 shade = vec3(1.0);
  #ifdef USE_INSTANCING
    world = modelMatrix * instanceMatrix * vec4(position, 1.0);
    n = mat3(instanceMatrix) * normal;
  #endif
  #ifdef USE_INSTANCING_COLOR
    shade = instanceColor;
  #endif
  vPos = world.xyz;
  vNormal = normalize(mat3(modelMatrix) * n);
  vTint = vec4(tint.rgb * shade, tint.a);
  gl_Position = projectionMatrix * viewMatrix * world;
}`

/** Alpha of the tint says what glows: 0 nothing, up to 1 lamps that are always on, 2 tail lamps. */
export const OBJECT_FRAGMENT = /* glsl */ `
${COMMON}
varying vec3 vNormal, vPos;
varying vec4 vTint;
void main() {
  vec3 c = lit(vTint.rgb, normalize(vNormal), vPos);
  float emit = vTint.a > 1.5 ? rearGlow : vTint.a;
  c = mix(c, vTint.rgb, emit);
  gl_FragColor = vec4(fogged(c, vPos), 1.0);
}`

export const GROUND_VERTEX = /* glsl */ `
attribute vec2 road;
varying vec3 vNormal, vPos;
varying vec2 vRoad;
void main() {
  vPos = position;
  vNormal = normal;
  vRoad = road;
  gl_Position = projectionMatrix * viewMatrix * vec4(position, 1.0);
}`

/** Road and land are painted from (arc length, lateral offset), every edge softened by its own pixel size. */
export const GROUND_FRAGMENT = /* glsl */ `
${COMMON}
uniform vec3 groundA, groundB, roadColor, lineColor, kerbColor, skyTop;
uniform float wet, lava, halfWidth, period;
varying vec3 vNormal, vPos;
varying vec2 vRoad;

float band(float x, float period, float duty, float w) {
  float f = abs(fract(x / period) - 0.5) * period;
  float edge = duty * period * 0.5;
  float on = 1.0 - smoothstep(edge - w, edge + w, f);
  return mix(on, duty, smoothstep(0.2, 0.5, w / period));
}
float inside(float x, float edge, float w) { return 1.0 - smoothstep(edge - w, edge + w, x); }
void main() {
  float s = vRoad.x, d = vRoad.y, a = abs(d);
  float ws = fwidth(s) * 0.75, wd = fwidth(d) * 0.75;
  vec3 c = mix(groundA, groundB, band(s, period, 0.5, ws));
  float shoulder = inside(a, halfWidth + 1.6, wd);
  c = mix(c, mix(groundB, roadColor, 0.55), shoulder * 0.8);
  float paved = inside(a, halfWidth, wd);
  vec3 tar = roadColor * (0.95 + 0.1 * band(s, period, 0.5, ws));
  float kerb = inside(abs(a - halfWidth), 0.55, wd);
  c = mix(c, tar, paved);
  c = mix(c, mix(kerbColor, roadColor * 0.6, band(s, period * 0.5, 0.5, ws)), kerb);
  float dash = inside(a, 0.24, wd) * band(s, period, 0.42, ws);
  c = mix(c, lineColor, dash * 0.95);
  vec3 shown = lit(c, normalize(vNormal), vPos);
  vec3 dir = normalize(vPos - eye);
  float graze = pow(1.0 - max(-dir.y, 0.0), 5.0);
  shown = mix(shown, mix(skyHorizon, skyTop, 0.35), wet * graze * paved * 0.55);
  if (lava > 0.0) {
    vec2 at = vec2((fract(s / period + 0.5) - 0.5) * period / 8.0, (a - 22.0) / 7.5);
    float crack = smoothstep(1.1, 0.9, length(at));
    shown = mix(shown, vec3(1.0, 0.4, 0.09), lava * crack);
  }
  gl_FragColor = vec4(fogged(shown, vPos), 1.0);
}`

export const SKY_VERTEX = /* glsl */ `
varying vec2 vUv;
void main() {
  vUv = uv;
  gl_Position = vec4(position.xy, 0.99999, 1.0);
}`

export const SKY_FRAGMENT = /* glsl */ `
uniform vec3 skyTop, skyHorizon, glow, sunColor, hillNear, hillFar, ambient;
uniform float yaw, pitch, tanHalf, aspect, sunHeight, sunAzimuth, sunSize, hillHeight, hillSharp, overcast, stars, fog, seed, lava;
varying vec2 vUv;

float ridge(float x) { return 1.0 - abs(fract(x) * 2.0 - 1.0); }
float hill(float az, float k, float phase) {
  float smoothHill = 0.5 + 0.28 * sin(az * 3.0 * k + phase) + 0.22 * sin(az * 7.0 * k + phase * 2.3);
  float sharp = 0.62 * ridge(az * 0.955 * k + phase) + 0.38 * ridge(az * 2.387 * k + phase * 1.7);
  return mix(smoothHill, sharp, hillSharp);
}
${CELL}
float starCell(vec2 p) { return cell(p + vec2(floor(seed * 1000.0), 0.0)); }
void main() {
  vec2 p = (vUv * 2.0 - 1.0) * vec2(tanHalf * aspect, tanHalf);
  float az = yaw + atan(p.x);
  float el = atan(p.y) + pitch;
  float h = clamp(el / 0.75, 0.0, 1.0);
  vec3 c = mix(skyHorizon, skyTop, pow(h, 0.62));
  float daz = mod(az - sunAzimuth + 3.14159265, 6.2831853) - 3.14159265;
  float r = length(vec2(daz, el - sunHeight));
  c += glow * (1.0 - overcast) * (0.34 * exp(-r * 3.2));
  float disc = smoothstep(sunSize + 0.014, sunSize - 0.006, r) * (1.0 - overcast);
  vec3 discColor = mix(min(glow * 1.25 + 0.12, vec3(1.0)), vec3(0.93, 0.94, 0.86), stars);
  c = mix(c, discColor, disc);
  if (stars > 0.0) {
  vec2 g = vec2(az * 9.0, el * 9.0);
  vec2 off = vec2(starCell(floor(g)), starCell(floor(g) + 7.0)) * 0.6 + 0.2;
  float star = step(0.76, starCell(floor(g) + 3.0)) * smoothstep(0.2, 0.05, length(fract(g) - off));
  c = mix(c, vec3(0.95, 0.95, 1.0), star * stars * smoothstep(0.06, 0.25, el));
  }
  float cl = sin(az * 2.0 + seed) + 0.7 * sin(az * 5.0 + seed * 1.7) + 1.6 * sin(el * 13.0 + 1.2 * sin(az * 2.0));
  float cloudy = smoothstep(0.9, 2.3, cl) * smoothstep(0.05, 0.22, el) * (1.0 - overcast) * (1.0 - 0.8 * stars);
  c = mix(c, mix(skyHorizon, vec3(1.0), 0.35) * (0.7 + 0.3 * ambient), cloudy * 0.55);
  float haze = clamp(fog * 42.0, 0.0, 1.0);
  float edge = 0.009;
  float far = hill(az, 1.0, seed) * hillHeight + 0.02;
  vec3 light = ambient + sunColor * 0.55;
  vec3 farColor = mix(hillFar * light, skyHorizon, clamp(0.42 + haze * 0.7, 0.0, 1.0));
  c = mix(c, farColor, smoothstep(far + edge, far - edge, el));
  float near = hill(az, 2.0, seed * 1.9 + 2.0) * hillHeight * 0.55 + 0.005;
  vec3 nearColor = mix(hillNear * light, skyHorizon, clamp(0.14 + haze, 0.0, 1.0));
  c = mix(c, nearColor, smoothstep(near + edge, near - edge, el));
  float vent = smoothstep(0.09, 0.0, length(vec2(mod(az - seed + 3.14159265, 6.2831853) - 3.14159265, (el - far) * 0.8)));
  c = mix(c, vec3(1.0, 0.42, 0.12), lava * vent * 0.8 * (1.0 - haze * 0.6));
  gl_FragColor = vec4(c, 1.0);
}`

/**
 * Rain and snow over the finished picture: big, soft, and a loop. Snow repeats after 20 ticks, rain after 10, the same in
 * every drive: what falls can be learnt, and the picture behind it is what a tick has to invent.
 */
export const WEATHER_FRAGMENT = /* glsl */ `
uniform float time, rain, flakes, aspect;
uniform vec3 ambient;
varying vec2 vUv;
${CELL}
float flakeLayer(float count, float size, float salt) {
  vec2 p = vec2(vUv.x * aspect, vUv.y) * count;
  p.y += time * 2.0;
  p.x += 0.3 * sin(6.2831853 * (time + 0.5 * floor(p.y)));
  vec2 i = vec2(floor(p.x), mod(floor(p.y), 2.0));
  vec2 at = vec2(cell(i + salt), cell(i + salt + 5.0)) * 0.6 + 0.2;
  return smoothstep(size, size * 0.3, length(fract(p) - at)) * step(0.62, cell(i + salt + 9.0));
}
float rainLayer(float count, float width, float salt) {
  vec2 p = vec2(vUv.x * aspect + vUv.y * 0.14, vUv.y) * vec2(count, count * 0.3);
  float column = floor(p.x);
  p.y += time * 4.0 + floor(cell(vec2(column, 2.0 + salt)) * 8.0) * 0.25;
  float i = mod(floor(p.y), 2.0);
  float x = abs(fract(p.x) - 0.3 - 0.4 * cell(vec2(column, i + salt)));
  float y = fract(p.y);
  return smoothstep(width, width * 0.3, x) * smoothstep(0.1, 0.5, y) * smoothstep(0.95, 0.6, y)
    * step(0.5, cell(vec2(column, i + 4.0 + salt)));
}
void main() {
  float snow = flakes * max(flakeLayer(3.3, 0.17, 0.0), 0.7 * flakeLayer(4.7, 0.17, 3.0));
  float wet = rain * (0.3 * rainLayer(6.0, 0.17, 0.0) + 0.18 * rainLayer(8.0, 0.2, 6.0));
  vec3 tone = mix(vec3(1.0), 0.35 + ambient, 0.55);
  gl_FragColor = vec4(tone, clamp(snow * 0.8 + wet, 0.0, 1.0));
}`
