import { CELLS, FALL, LIGHT } from './ambient'

/**
 * Draws one frame into one pane, from 160x96 to any size.
 *
 * Upscaling follows the idea of FSR 1 EASU (AMD, 2021): find the direction of the edge under the pixel from a
 * structure tensor, then resample 4x4 texels with a Lanczos-like kernel stretched along the edge and narrow
 * across it, bounded by its neighbours against ringing. A frame with corners stands in the light of its own picture, spread
 * over the pane. Around one without, and under its feathered border, lies the same picture mirrored and blurred.
 */
export const VERTEX = /* glsl */ `
in vec3 position;
void main() { gl_Position = vec4(position.xy, 0.0, 1.0); }
`

export const FRAGMENT = /* glsl */ `
precision highp float;
precision highp sampler2D;

uniform sampler2D frame;      // row 0 is the top row
uniform vec2 frameSize;       // texels
uniform vec4 paneRect;        // x, y, width, height in device pixels from the top left of the canvas
uniform vec4 frameRect;       // the same, of the frame; may reach beyond the pane
uniform float radius;         // of the frame's corners, device pixels; negative where it has none
uniform float canvasHeight;   // device pixels
uniform float wake;           // 0 blurred and dark .. 1 awake
uniform float dim;            // brightness, 1 = as it is
uniform float sharp;          // 0: only the ambient light (the frame has a canvas of its own above)
uniform float cheap;          // 1: bilinear, for software rasterisers
uniform float grain;          // seed of the dither
out vec4 color;

vec3 texel(ivec2 p) { return texelFetch(frame, clamp(p, ivec2(0), ivec2(frameSize) - 1), 0).rgb; }
float luma(vec3 c) { return dot(c, vec3(0.3, 0.59, 0.11)); }

vec3 upscale(vec2 uv) {
  vec2 at = uv * frameSize - 0.5;
  ivec2 base = ivec2(floor(at)) - 1;
  vec2 f = fract(at);
  vec3 c[16];
  float l[16];
  for (int i = 0; i < 16; i++) {
    c[i] = texel(base + ivec2(i & 3, i >> 2));
    l[i] = luma(c[i]);
  }
  // Structure tensor: central differences at the four nearest texels, weighted bilinearly.
  vec3 tensor = vec3(0.0);
  for (int j = 1; j < 3; j++) for (int i = 1; i < 3; i++) {
    int k = j * 4 + i;
    vec2 g = vec2(l[k + 1] - l[k - 1], l[k + 4] - l[k - 4]);
    float w = (i == 1 ? 1.0 - f.x : f.x) * (j == 1 ? 1.0 - f.y : f.y);
    tensor += w * vec3(g.x * g.x, g.x * g.y, g.y * g.y);
  }
  float trace = tensor.x + tensor.z;
  float spread = sqrt((tensor.x - tensor.z) * (tensor.x - tensor.z) + 4.0 * tensor.y * tensor.y);
  float coherence = trace > 1e-7 ? spread / trace : 0.0;
  float angle = 0.5 * atan(2.0 * tensor.y, tensor.x - tensor.z);
  vec2 across = vec2(cos(angle), sin(angle));
  // How much of an edge this is: flat areas get a round kernel, clear edges a long and narrow one.
  float edge = coherence * smoothstep(0.0004, 0.02, trace);
  float stretchAlong = 1.0 - 0.48 * edge;
  float stretchAcross = 1.0 + 0.28 * edge;
  float lobe = 0.5 - 0.29 * edge;
  float reach = 1.0 / lobe;
  vec3 sum = vec3(0.0);
  float total = 0.0;
  for (int k = 0; k < 16; k++) {
    vec2 d = vec2(float((k & 3) - 1), float((k >> 2) - 1)) - f;
    vec2 r = vec2(dot(d, across) * stretchAcross, dot(d, vec2(-across.y, across.x)) * stretchAlong);
    float d2 = min(dot(r, r), reach);
    float a = 0.4 * d2 - 1.0;
    float b = lobe * d2 - 1.0;
    float w = (1.5625 * a * a - 0.5625) * b * b;
    sum += c[k] * w;
    total += w;
  }
  // Against ringing: the range of each inner texel and its four neighbours, blended so that the bound has no steps.
  vec3 lo = vec3(0.0);
  vec3 hi = vec3(0.0);
  for (int j = 1; j < 3; j++) for (int i = 1; i < 3; i++) {
    int k = j * 4 + i;
    float w = (i == 1 ? 1.0 - f.x : f.x) * (j == 1 ? 1.0 - f.y : f.y);
    lo += w * min(c[k], min(min(c[k - 1], c[k + 1]), min(c[k - 4], c[k + 4])));
    hi += w * max(c[k], max(max(c[k - 1], c[k + 1]), max(c[k - 4], c[k + 4])));
  }
  return clamp(sum / total, lo, hi);
}

vec2 mirror(vec2 uv) { return 1.0 - abs(1.0 - mod(uv, 2.0)); }

// B-spline over a coarse mip level: soft, with no visible grid.
vec3 blurred(vec2 uv, float level) {
  vec2 size = max(floor(frameSize / exp2(level)), vec2(1.0));
  vec2 at = mirror(uv) * size - 0.5;
  vec2 f = fract(at);
  vec2 base = floor(at);
  vec2 w0 = (1.0 - f) * (1.0 - f) * (1.0 - f) / 6.0;
  vec2 w1 = (4.0 - 6.0 * f * f + 3.0 * f * f * f) / 6.0;
  vec2 w3 = f * f * f / 6.0;
  vec2 w2 = 1.0 - w0 - w1 - w3;
  vec2 g0 = w0 + w1;
  vec2 g1 = w2 + w3;
  vec2 p0 = (base - 0.5 + w1 / g0 + 0.0) / size;
  vec2 p1 = (base + 1.5 + w3 / g1 + 0.0) / size;
  return g0.y * (g0.x * textureLod(frame, vec2(p0.x, p0.y), level).rgb + g1.x * textureLod(frame, vec2(p1.x, p0.y), level).rgb)
       + g1.y * (g0.x * textureLod(frame, vec2(p0.x, p1.y), level).rgb + g1.x * textureLod(frame, vec2(p1.x, p1.y), level).rgb);
}

float noise(vec2 p) { return fract(52.9829189 * fract(dot(p, vec2(0.06711056, 0.00583715)))); }

vec3 framed(vec2 pixel, vec2 uv) {
  vec2 halved = frameRect.zw * 0.5;
  vec2 corner = abs(pixel - frameRect.xy - halved) - halved + radius;
  float away = length(max(corner, 0.0)) + min(max(corner.x, corner.y), 0.0) - radius;
  float core = clamp(0.5 - away, 0.0, 1.0) * sharp;
  vec3 light = vec3(0.0);
  if (core < 1.0 || wake < 1.0) {
    float beside = max(away, 0.0) / frameRect.w;
    light = blurred((pixel - paneRect.xy) / paneRect.zw, log2(frameSize.y / ${CELLS.toFixed(1)}));
    light *= ${LIGHT} * exp(-beside / ${FALL.toFixed(2)});
  }
  vec3 picture = light;
  if (core > 0.0 && wake > 0.0) {
    picture = cheap > 0.5 ? textureLod(frame, clamp(uv, 0.0, 1.0), 0.0).rgb : upscale(clamp(uv, 0.0, 1.0));
  }
  return mix(light, picture, core * wake);
}

vec3 feathered(vec2 uv) {

  // Distance inside the frame, in frame heights; the border feathers only where it lies within the pane.
  vec2 inside = min(uv, 1.0 - uv) * vec2(frameRect.z / frameRect.w, 1.0);
  vec2 room = step(vec2(0.5), vec2(
    max(paneRect.z - frameRect.z, 0.0), max(paneRect.w - frameRect.w, 0.0)));
  float border = min(mix(1.0, inside.x, room.x), mix(1.0, inside.y, room.y));
  float core = smoothstep(0.0, 0.11, border) * sharp;

  vec3 light = vec3(0.0);
  if (core < 0.999 || wake < 0.999) {
    float away = max(-min(inside.x, inside.y), 0.0);
    light = blurred(uv, cheap > 0.5 ? 3.0 : mix(2.6, 4.0, clamp(away * 2.0, 0.0, 1.0)));
    light *= exp(-away * 1.15) * mix(0.92, 1.0, core);
  }
  vec3 picture = light;
  if (core > 0.001 && wake > 0.001) {
    picture = cheap > 0.5 ? textureLod(frame, clamp(uv, 0.0, 1.0), 0.0).rgb : upscale(clamp(uv, 0.0, 1.0));
  }
  return mix(light, picture, core * wake);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, canvasHeight - gl_FragCoord.y);
  vec2 uv = (pixel - frameRect.xy) / frameRect.zw;
  vec3 shown = (radius < 0.0 ? feathered(uv) : framed(pixel, uv)) * mix(0.25, 1.0, wake) * dim;
  shown += (noise(pixel + grain * 71.3) - 0.5) * (1.6 / 255.0);
  color = vec4(shown, 1.0);
}
`
