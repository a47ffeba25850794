/** The words of the world: what a biome, a time and a weather are called. `unseen` ones are held out of training. */
import type { Biome, Split, TimeOfDay, Weather } from './labels'

export interface Lexicon {
  readonly noun: readonly string[]
  readonly adjective: readonly string[]
}

export type Words<K extends string> = Record<Split, Record<K, Lexicon>>

/** Phrases between bars, as a list would take a line for each. */
export function lexicon(noun: string, adjective: string): Lexicon {
  const list = (text: string) => text.split('|').map((phrase) => phrase.replace(/\s+/g, ' ').trim())
  return { noun: list(noun), adjective: list(adjective) }
}

export const BIOME_WORDS: Words<Biome> = {
  train: {
    meadow: lexicon(
      `a green meadow | meadows | grassland | rolling green fields | the countryside | flower fields | a
      grassy plain | open fields | a wide green valley | hay fields | gentle green hills | wild flowers and
      grass | cow country | a field of daisies | alpine meadows | a patchwork of fields | clover and
      buttercups | a green plateau | the grasslands | fields of barley | a village green | soft green ridges
      | the rolling downs | sheep country | the heath | fields of poppies | a cattle ranch | tall grass |
      vineyards and fields | a spring meadow | the Shire | green Ireland | a sea of grass | the moors |
      sunflower fields | a lawn without end | fresh green land`,
      `green | grassy | meadow | countryside | rural | flowery | green valley | grass-covered | grass-green |
      bucolic | fertile | blooming | hilly green | open-field | country | clover-covered | agricultural |
      spring-green`,
    ),
    forest: lexicon(
      `a forest | the woods | deep woods | a pine forest | tall trees | dense woodland | an evergreen forest
      | a redwood grove | birch trees | a shady wood | an old forest | oak trees | the Black Forest | a wall
      of trees | trees on both sides | a grove of pines | the taiga | a rainforest | mossy woods | an
      enchanted forest | maple trees | a canopy of leaves | the greenwood | a stand of cedars | the
      backwoods | bushes and trees | trunks and branches | a national park full of trees | conifers | the
      trees | a beech wood | a dark green forest | hemlock and pine | an arboretum | the wild wood |
      undergrowth and ferns | Sherwood`,
      `forest | wooded | woodland | tree-lined | shady | piney | tree-filled | overgrown | evergreen |
      coniferous | mossy | forested | deep-wood | pine-covered | bosky | leaf-covered | tree-shaded |
      fern-filled`,
    ),
    desert: lexicon(
      `a desert | sand dunes | the sandy desert | cactus country | a dry desert | orange sands | a hot desert
      | the Gobi | a sea of sand | the outback | a canyon of red sand | Death Valley | the Wild West |
      wind-blown dunes | a land of sand and cactus | a sandy waste | the Mojave | the empty quarter |
      Arizona | the Kalahari | mesas and sand | a drought-stricken land | yellow sand | a sandstone valley |
      cacti and stones | scorching sands | the Australian interior | a dried-up lake bed | tumbleweed
      country | saguaros | Arabian sands | the land of camels | a thirsty land | bare hot ground | an oasis
      road | Egypt | sand as far as you can see`,
      `desert | sandy | dry | dusty | sun-baked | sand-covered | rocky desert | waterless | cactus-dotted |
      empty sandy | sunburnt | bone-dry | sand-filled | scorching | rainless | tan | sandblown | thirsty`,
    ),
    snow: lexicon(
      `a snowy land | snow fields | a winter landscape | the frozen north | white snow | an icy plain |
      snow-covered hills | the North Pole | Siberia | Lapland | a ski slope | ice and snow | a snowy
      mountain pass | Greenland | deep snow | a white wilderness | fresh powder | the Alps in winter | a
      frozen lake | icebergs and drifts | Alaska | a field of ice | the land of polar bears | a snowdrift |
      the ice sheet | frost-covered land | Iceland in January | a winter wonderland | packed snow | the
      Yukon | a snowed-in valley | the home of Santa Claus | snow banks | permafrost | a white plain | the
      cold north | reindeer country`,
      `snowy | wintry | frozen | snow-covered | icy | frosty | snow-white | polar | snowbound | ice-covered |
      freezing | white | snow-clad | wintery | sub-zero | ice-cold | frostbitten | alpine winter`,
    ),
    volcano: lexicon(
      `a volcano | a volcanic land | lava fields | black rock and lava | glowing lava | a land of fire and
      ash | the volcanic wasteland | Mordor | an erupting volcano | burning rock | basalt and embers | a
      smoking crater | rivers of fire | plains of black ash | the rim of a crater | a lava flow | a burning
      mountain | the crater of a volcano | cinders and smoke | an inferno of lava | the underworld | cooling lava |
      Vesuvius | Etna | Krakatoa | an ash field | glowing cracks in the rock | flames and black stone | a
      caldera | the ring of fire | fire mountain | charred ground | a lake of lava | sulphur and smoke |
      obsidian plains | the land of dragons | an eruption`,
      `volcanic | lava | fiery | scorched | burning | ashen | smouldering | erupting | volcano | lava-red |
      lava-filled | ash-covered | blazing | charred | cindery | fire-spitting | demonic | red-hot`,
    ),
  },
  unseen: {
    meadow: lexicon(`a lush pasture | the prairie | farmland`, `verdant | pastoral`),
    forest: lexicon(`a thicket of firs | the timberland | a jungle of spruce`, `leafy | sylvan`),
    desert: lexicon(`the Sahara | arid badlands | a barren dune sea`, `arid | parched`),
    snow: lexicon(`the arctic tundra | a glacier | Antarctica`, `arctic | glacial`),
    volcano: lexicon(`a molten hellscape | magma rivers | the slopes of Mount Doom`, `molten | infernal`),
  },
}

export const TIME_WORDS: Words<TimeOfDay> = {
  train: {
    dawn: lexicon(
      `at dawn | at sunrise | in the early morning | at daybreak | in the morning | just after sunrise | as
      day breaks | at the break of day | as the sun comes up | before breakfast | in the pink morning light
      | at six in the morning | at 5 am | as morning comes | when the day begins | as the birds start to
      sing | at the start of the day | when the sun rises | as the sky turns pink | while the world wakes up
      | with the rising sun | as night turns to day | when people get up | at the crack of dawn | early in
      the day | at dawn's light | over morning coffee | in the new morning | as darkness lifts | as the sun
      peeks over the horizon | with the sun barely up | in the first minutes of the day | as the dew forms`,
      `dawn | sunrise | early morning | morning | daybreak | pale morning | sunup | breaking day | waking |
      sun-rising | early | pink-morning | fresh morning | new-day | six am | morning-lit | early-bird |
      pre-breakfast`,
    ),
    noon: lexicon(
      `at noon | at midday | in bright daylight | in the middle of the day | in daytime | around noon | at
      high noon | in the afternoon | in full sun | at twelve o'clock | by day | at 1 pm | at 12:00 | in the
      heat of the day | when the sun is at its highest | in the early afternoon | under a high sun | in
      plain daylight | in the day | at two in the afternoon | in strong light | during the day | halfway
      through the day | in blazing sunshine | while the sun shines | when shadows are shortest | in the
      light of day | at noontime | during office hours | in the full light of the sun | in dazzling light |
      in the brightest hour | after a late breakfast`,
      `noon | midday | daytime | bright | sunny | broad daylight | afternoon | high-noon | day | daylight |
      sunshine | bright-day | mid-afternoon | noonday | full-sun | high-sun | daylit | brilliant`,
    ),
    dusk: lexicon(
      `at dusk | at sunset | in the evening | at twilight | as the sun goes down | late in the evening | in
      the golden hour | at the end of the day | as it gets dark | in the last light of day | in the red
      evening light | at day's end | as the light fades | when the sun sets | in the blue hour | as the sun
      sinks | in the late sun | as night comes on | at close of day | after work | before dinner | in the
      setting sun | under an orange sky | as shadows lengthen | at seven in the evening | while the sun
      disappears | in the dying light | as lamps come on | in the crimson evening | with the sun on the
      horizon | at eventide | on the way home for supper | just before dark`,
      `dusk | sunset | evening | twilight | golden-hour | orange-skied | late-day | end-of-day | sun-setting
      | fading | evening-lit | purple-skied | dimming | red-skied | low-sun | after-work | eventide |
      half-dark`,
    ),
    night: lexicon(
      `at night | at midnight | in the dark | under the stars | late at night | after dark | in the middle of
      the night | in pitch darkness | at two in the morning | under a black sky | with the headlights on |
      in the dead of night | at 3 am | at one in the morning | while everyone sleeps | long after bedtime |
      in total darkness | beneath the stars | with stars in the sky | in blackness | through the night |
      during the night | on a dark night | when the owls are out | under the Milky Way | at the witching
      hour | past midnight | in the deep of the night | when it is dark | at an ungodly hour | in the black
      of night | by starlight | with nothing but headlights`,
      `night | midnight | dark | nighttime | late-night | pitch-black | starry | nocturnal | black |
      star-filled | after-midnight | unlit | sleepless | dead-of-night | starlit | nightly | deep-night |
      lightless`,
    ),
  },
  unseen: {
    dawn: lexicon(`at first light | as the rooster crows`, `rosy-skied`),
    noon: lexicon(`at lunchtime | with the sun overhead`, `sunlit`),
    dusk: lexicon(`at nightfall | in the gloaming`, `sundown`),
    night: lexicon(`by moonlight | in the small hours`, `moonlit`),
  },
}

export const WEATHER_WORDS: Words<Weather> = {
  train: {
    clear: lexicon(
      `in clear weather | under a clear sky | on a clear day | with no clouds |  | under a blue sky | in good
      weather | without a cloud | in calm weather | with a clean horizon | in dry weather | with good
      visibility | in sunshine | with perfect visibility | beneath an open sky | in still air | in nice
      weather | under an empty sky | in mild weather | with not a cloud in sight | in pleasant weather |
      with crisp air | in settled weather | in glorious weather | when the sky is clear`,
      `clear | cloudless |  | cloud-free | calm | clear-skied | pleasant | crisp | serene | still | rain-free
      | perfect-weather | clean-aired | open-skied`,
    ),
    rain: lexicon(
      `in the rain | in heavy rain | while it rains | in a rainstorm | in wet weather | in a rain shower |
      with raindrops falling | in a thunderstorm | on a rainy day | through puddles | in pelting rain | in a
      cloudburst | under dark rain clouds | with rain streaming down | in rain | in a deluge | as rain falls
      | as the heavens open | with the wipers on | in a monsoon | with water everywhere | in a squall |
      getting drenched | in a wet storm | in steady rain | during a storm | with rain on the windscreen | in
      the hard rain | with lightning and rain | in spring showers | with umbrellas up | when it is raining |
      in light rain`,
      `rainy | wet | stormy | rain-swept | showery | raining | torrential | dripping | drenched | thundery |
      rain-drenched | watery | monsoon | pluvial | damp | rainstorm`,
    ),
    fog: lexicon(
      `in the fog | in thick fog | in the mist | with fog all around | in dense mist | in mist and fog |
      through a cloud of fog | with hardly anything to see | in a grey mist | in poor visibility | on a
      foggy day | in a fog bank | wrapped in mist | in a pea soup of fog | unable to see far | in vapour |
      in a white fog | with mist on the road | in steam and mist | in creeping fog | with the fog lights on
      | in smoke-like fog | with everything grey and blurred | in heavy fog | veiled in mist | in milky air
      | with fading shapes | in grey nothing | when it is foggy | in a ghostly mist | under a blanket of fog
      | with fog rolling in | in mysterious mist`,
      `foggy | misty | hazy | fog-covered | misted | grey and misty | fog-bound | mist-covered | vaporous |
      blurry | cloudy grey | veiled | smoky | ghostly grey | dim and foggy | soupy`,
    ),
    snowfall: lexicon(
      `in falling snow | while it snows | in a snowstorm | with snowflakes falling | in a blizzard | with
      snow coming down | in a snow shower | in heavy snowfall | as snow falls | in light snow | with snow in
      the air | in a whiteout | with snow in every gust | in driving snow | with snow falling softly | as
      snowflakes drift down | under falling snow crystals | during a snowstorm | in swirling snow | in thick
      snowfall | with snow blowing | while snowflakes dance | as it begins to snow | in a winter storm |
      with big snowflakes falling | in wet snow | with snow on the windscreen | when it is snowing | in
      powder snow falling | in a hail of snow | with large snowflakes | in constant snowfall | as Christmas
      snow comes down`,
      `snowing | blizzard | snowflake-filled | snow-swept | snowfall | heavy-snow | snow-blown | snow-filled
      | snowstorm | whiteout | snow-falling | snowy-skied | blowing-snow | snow-stormy | snow-showering |
      snow-laden`,
    ),
  },
  unseen: {
    clear: lexicon(`beneath a spotless sky | in fine weather`, `fair-weather`),
    rain: lexicon(`in a downpour | under pouring drizzle`, `drizzly | soaked`),
    fog: lexicon(`shrouded in haze | lost in low cloud`, `murky`),
    snowfall: lexicon(`in a flurry | as sleet and flakes whirl down`, `flurrying`),
  },
}
