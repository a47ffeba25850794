/** Further words for weather, in captions that only text is made of: see more-words.ts. */
import type { Weather } from './labels'
import { type Lexicon, lexicon } from './lexicon'

export const MORE_WEATHER_WORDS: Record<Weather, Lexicon> = {
  clear: lexicon(
    `with a clear sky above | in good and dry weather | with nothing in the sky | in lovely weather | with
    clear air | in clean air | in the best of weather | with the sky wide open | in cloudless weather | with a
    flawless sky | on a beautiful clear day | under clear skies | under blue skies | with blue skies above |
    with a bright blue sky | with an azure sky | under a cloudless sky | with zero clouds | without any clouds
    | without a single cloud | without rain | without fog | with no rain | with no wind | in windless air | in
    quiet weather | in calm air | in tranquil weather | in serene weather | in stable weather | in beautiful
    weather | in wonderful weather | in perfect weather | in splendid weather | in gorgeous weather | in
    excellent weather | in ideal weather | in great weather | in picnic weather | in balmy weather | in clean
    crisp air | in transparent air | in fresh air | in pure air | with clear views | with views for miles |
    with everything sharp and clear | with unlimited visibility | when nothing falls from the sky | after the
    clouds have gone | after the rain has stopped | when the weather is good | when the weather is clear | under
    an unbroken sky | under a clean sky | in dry air | on dry roads | on a dry day | on a calm day | on a nice
    day | on a cloudless day | on a blue-sky day`,
    `dry-aired | flawless-skied | lovely | good-weather | clear-aired | unclouded | bright and clear | calm and
    clear | blue-skied | blue-sky | azure | windless | tranquil | balmy | mild | dry | stable | transparent |
    sharp and clear | lucid | gorgeous | beautiful | splendid | crystal-clear | immaculate | bluebird`,
  ),
  rain: lexicon(
    `with everything dripping | sopping wet | in spitting rain | in a sprinkle of rain | in buckets of rain |
    in a wet grey rain | with a wet road and rain | in rainfall | in heavy rainfall | in constant rain | in
    endless rain | in the wet | in cold rain | in warm summer rain | in grey rain | in slanting rain | in
    lashing rain | in driving rain | in hammering rain | in beating rain | in torrents of rain | in sheets of
    rain | under a curtain of rain | under rain clouds | under a rainy sky | under storm clouds | in a tempest
    | in a gale with rain | in a thunder shower | with thunder and lightning | with thunder rolling | with
    lightning flashing | in a typhoon | in a hurricane | in a tropical storm | in the rainy season | in April
    showers | in a passing shower | in a cold shower | with rain on the roof | with rain on the glass | with
    rain hitting the windows | with water running down the windows | with water on the road | through a flooded
    road | through big puddles | splashing through water | with the wipers at full speed | under umbrellas |
    with wet clothes | with wet tarmac | with slick roads | while it is raining | while rain comes down | as it
    rains cats and dogs | when it rains hard | as raindrops patter | as the gutters overflow | in a flood of
    rain | in a rain squall | in rain and wind | in stormy weather | in bad wet weather | in umbrella weather`,
    `sopping | rained-on | soggy | rain-wet | pattering | wet and rainy | waterlogged | spitting-rain |
    rain-heavy | rain-lashed | rain-filled | rain-slick | rain-streaked | rain-washed | rain-beaten |
    raindrop-filled | puddle-filled | storm-tossed | tempestuous | splashing | splashy | showering | sodden |
    streaming | thunderstorm | thundering | lightning-lit | wet-weather | flooded | squally`,
  ),
  fog: lexicon(
    `inside a cloud | with clouds down on the ground | in ground-hugging cloud | with cloud lying on the road |
    swallowed by cloud | in the thick of a cloud | behind a grey veil | in gloomy mist | in dim grey air | in
    opaque air | cloaked in fog | in a smothering fog | through clouds that touch the road | hidden in mist |
    in a thick mist | in a light mist | in a ground fog | in sea fog | in valley fog | in patchy fog | in San
    Francisco fog | in London fog | in smog | in smoke and fog | in brume | in a cloud bank | in a bank of mist
    | in veils of mist | behind a veil of mist | behind a curtain of fog | behind a wall of fog | through a wall
    of mist | in billowing mist | in swirling fog | in drifting fog | in rolling mist | in lingering mist | with
    fog over everything | with fog ahead | with thick fog everywhere | with mist in the air | with low
    visibility | with reduced visibility | with almost no visibility | with a few metres of sight | with nothing
    to be seen | with the road vanishing | with the way ahead hidden | with the horizon gone | with distant
    things hidden | with shapes in the mist | with outlines only | where you cannot see | seeing next to nothing
    | half blind in the white | fading into grey | fading into white | in a grey soup | in cotton wool | in a
    milky veil | in milky whiteness | in pale grey vapour | in a steam cloud | in cloudy air | in dull grey air
    | when the fog is thick | while the fog lies | as fog creeps in | as mist rises | with a foghorn sounding`,
    `gloomy and misty | opaque | cloud-swallowed | cloudbound | obscured | dim and grey | mist-cloaked | unclear
    grey | low-visibility | clouded-in | turbid | grey-veiled | fog-filled | fog-veiled | fog-wrapped |
    fog-thick | fogged | fogged-in | mist-filled | mist-wrapped | mist-veiled | misty grey | nebulous | smoggy
    | steamy | milky | dim | blurred | faded | vague | indistinct | cloud-wrapped | eerie misty | ghostly |
    half-hidden | poor-visibility | pea-soup | woolly grey`,
  ),
  snowfall: lexicon(
    `with a dusting of snow coming down | with snow and ice pellets falling | in slushy snowfall | in wintry
    showers | in gusts of snow | with snow tumbling down | with snow spinning through the air | as tiny bits of
    snow come down | in a swirl of snow | in snow and wind | as snow dances around the car | with snow drifting
    down | in a spell of snowfall | as it snows and snows | in snowfall | in soft snowfall | in gentle snow | in
    dense snow | in dense snowfall | in blinding snow | in blowing snow | in drifting snow | in gusty snow | in
    icy wind and snow | in snow showers | in a snow squall | in a heavy snowstorm | in a fierce blizzard | in
    blizzard conditions | in a Christmas snowfall | with snow falling | with snow falling thickly | with snow
    falling from the sky | with snowflakes in the air | with snowflakes everywhere | with snowflakes on the
    windscreen | with snow sticking to the glass | with snow piling up | with fresh snow coming | with a snowy
    sky | under snow clouds | under a snowing sky | under a sky full of snow | while snow comes down | while
    snow drifts past | while the snow keeps falling | while it is snowing hard | as it snows | as it snows
    heavily | as snow swirls | as snow blows across the road | as snowflakes float | as snowflakes tumble | as
    big soft snowflakes fall | as the first snow falls | when snow falls | when it snows outside | through a
    curtain of snow | through a veil of snow | through a wall of snow | through spinning snowflakes | in a white
    storm | in wintry weather | in snowy weather | with hail and snow | inside a snow globe`,
    `snow-gusting | snow-swirling | lightly snowing | snow-tumbling | slushy | wintry-shower | snow-dusting |
    snow-spinning | heavily snowing | snow-drifting | snowing and blowing | snow-storming | snowflake |
    snow-gusty | snow-driven | snow-whipped | softly snowing | gently snowing | thickly snowing | blizzardy |
    blizzard-hit | snow-showery | wind-and-snow | snow-globe | snow-cloud | snow-blasted`,
  ),
}
