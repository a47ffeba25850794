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
    day | on a cloudless day | on a blue-sky day | in sunglasses weather | in convertible weather | with the
    roof down | with the sunroof open | in barbecue weather | in beach weather | in cycling weather | in
    hiking weather | in T-shirt weather | in shorts weather | in flip-flop weather | in wedding weather | in
    cricket weather | in golfing weather | in holiday weather | in postcard weather | in flying weather | in
    ballooning weather | in CAVOK conditions | in VFR conditions | ceiling and visibility unlimited | with
    ten-mile visibility | in high pressure | under an anticyclone | with the barometer high | with the
    mercury steady | with zero precipitation | no umbrella needed | no raincoat needed | with the wipers off
    | without a puff of cloud | not one wisp | nothing but blue skies | under wall-to-wall blue | in
    wall-to-wall sunshine | in unbroken sunshine | in uninterrupted sunshine | with a sunny forecast | in
    clement weather | in benign weather | in halcyon weather | in an Indian summer | in Mediterranean weather
    | in Californian weather | in San Diego weather | in Riviera weather | in Caribbean weather | under a
    Greek blue sky | under a sapphire sky | under a cobalt sky | under a cerulean sky | under a turquoise sky
    | under a periwinkle sky | under an ultramarine sky | under a forget-me-not sky | under a porcelain sky |
    under a pristine sky | under an unblemished sky | under a blank sky | under a naked sky | under a
    limitless sky | under big sky | under a dome of blue | under the celestial vault | with every detail
    etched | with every pebble visible | with the skyline sharp | with outlines razor-sharp | in pellucid air
    | in limpid air | in diamond-bright air | in rinsed air | in see-through air | in bracing air | in
    unpolluted air | in motionless air | with hardly a breeze | in light winds | with a soft zephyr | with
    flags hanging limp | in the doldrums | after the front passed | once the sky cleared | now that skies
    cleared | with the weather behaving | with weather on our side | in cooperative weather | in friendly
    weather | in agreeable weather | in delightful weather | in fabulous weather | in superb weather | in
    marvellous weather | in heavenly weather | in cracking weather | in smashing weather | in textbook
    weather | in faultless weather | in uneventful weather | in temperate weather | in shirtsleeve weather |
    in goldilocks weather | with dry pavements | on dry asphalt | with laundry on the line | with bedsheets
    drying outside | with the windows wound down | as paragliders soar | as gliders circle | with hot-air
    balloons aloft | on a glorious day | what a beautiful day | lovely day for a drive | to Mr Blue Sky | I
    can see clearly now | seeing for miles and miles | can see forever | with panoramic views | with sweeping
    vistas | with nothing blocking the view | in sailing weather | in gardening weather | in selfie weather |
    with a UV warning | deckchair weather | in yachting weather | in the best weather imaginable`,
    `dry-aired | flawless-skied | lovely | good-weather | clear-aired | unclouded | bright and clear | calm and
    clear | blue-skied | blue-sky | azure | windless | tranquil | balmy | mild | dry | stable | transparent |
    sharp and clear | lucid | gorgeous | beautiful | splendid | crystal-clear | immaculate | bluebird |
    sunglasses | convertible-weather | roof-down | barbecue-weather | beach-weather | clement | benign |
    halcyon | anticyclonic | high-pressure | CAVOK | unlimited-visibility | good-visibility | far-seeing |
    panoramic | unobstructed | unobscured | unveiled | mist-free | fog-free | zero-cloud | sapphire-skied |
    cobalt-skied | cerulean | turquoise-skied | periwinkle-skied | ultramarine | baby-blue | blue-domed |
    big-sky | bare-skied | naked-skied | pristine | unblemished | faultless-skied | heavenly-weather |
    marvellous-weather | temperate | razor-sharp | pin-sharp | high-definition | pellucid | limpid |
    diamond-bright | squeaky-clean | see-through | unpolluted | smog-free | bracing | breezeless |
    zephyr-soft | becalmed | placid | undisturbed | untroubled | unruffled | umbrella-free | raincoat-free |
    dry-tarmac | drying-day | postcard-perfect | Mediterranean | Californian | Riviera-blue | storm-free |
    cleared-up | T-shirt-weather`,
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
    rain | in a rain squall | in rain and wind | in stormy weather | in bad wet weather | in umbrella weather
    | in welly weather | in wellington-boot weather | in raincoat weather | in anorak weather | lovely
    weather for ducks | nice weather for frogs | in Manchester weather | in Seattle weather | in Glasgow
    weather | in Bergen weather | in dreich weather | in Wimbledon weather | with Cherrapunji's record | like
    Noah's flood | building an ark | Singin' in the Rain | with Gene Kelly | Purple Rain | Riders on the
    Storm | raindrops keep falling | rain, rain, go away | itsy bitsy spider weather | in a mizzle | in a
    gully washer | in a frog strangler | raining stair rods | bucketing down | tipping down | chucking down |
    teeming down | pelting down | hosing down | coming down in torrents | under weeping skies | under sobbing
    clouds | under nimbus clouds | under cumulonimbus | under leaden skies | under thunderheads | under an
    anvil cloud | when floodgates open | with heaven's taps open | as Thor swings his hammer | as Zeus hurls
    bolts | after a rain dance | in heavy precipitation | in convective showers | in an Atlantic low | under
    low pressure | with a falling barometer | with a front moving in | in an atmospheric river | with flood
    warnings out | with rivers bursting banks | with drains gurgling | with gutters gushing | with downspouts
    rushing | with roofs leaking | with drips down my neck | with squelching boots | with soggy trainers |
    wet to the skin | like drowned rats | sharing an umbrella | with brollies up | in a poncho | in oilskins
    | in galoshes | in a mackintosh | in a sou'wester | in waterproofs | in Gore-Tex | with hoods up | with
    wipers swishing | with water beading on glass | pitter-patter | a tin roof drumming | plip plop | in tyre
    spray | with standing water | while aquaplaning | hydroplaning | on glistening wet asphalt | through
    ankle-deep water | splish splash | jumping in puddles | with mud everywhere | with earthworms out | with
    snails and slugs about | with play abandoned | with the picnic washed out | on a washout | with petrichor
    | with a rainbow after showers | with forked lightning | with thunderclaps | with thunderbolts | in an
    electrical storm | in a supercell | in a cyclone | in a tropical depression | in acid rain | in plum rain
    | in the wet season | with reservoirs filling | with water butts overflowing | teardrops from the sky |
    as clouds burst | as clouds empty | as the sky weeps | as droplets drum | with sandbags at doors | with
    canoes in the street | with kayaks in the street | drenched under a lamppost | in frizzy hair weather |
    with a dripping nose | with the parade washed out`,
    `sopping | rained-on | soggy | rain-wet | pattering | wet and rainy | waterlogged | spitting-rain |
    rain-heavy | rain-lashed | rain-filled | rain-slick | rain-streaked | rain-washed | rain-beaten |
    raindrop-filled | puddle-filled | storm-tossed | tempestuous | splashing | splashy | showering | sodden |
    streaming | thunderstorm | thundering | lightning-lit | wet-weather | flooded | squally | bucketing |
    teeming | pelting | mizzly | dreich | spitting | sprinkling | weepy | weeping | leaky-skied | drippy |
    trickling | gushing | gurgling | sloshy | squelchy | squelching | muddy | mud-splashed | puddled | puddly
    | saturated | drenching | bedraggled | dripping-wet | aqueous | aquaplaning | inundated | deluged |
    swamped | flash-flood | washed-out | rained-off | rain-battered | rain-spattered | rain-drummed |
    rain-polished | cloudburst | monsoonal | cyclonic | hurricane-lashed | gale-lashed | thunderous |
    electric-storm | cumulonimbus | leaden | low-pressure | unsettled | inclement | foul | filthy-wet |
    umbrella | brolly | welly | raincoat | oilskin | wiper-swishing | pitter-pattering | spray-filled |
    duck-loving | frog-happy | petrichor | precipitating | wettest | rainbow-arched`,
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
    | when the fog is thick | while the fog lies | as fog creeps in | as mist rises | with a foghorn sounding
    | in a haar | in a sea fret | in advection fog | in radiation fog | in a Tule fog | in June gloom | with
    Karl the Fog | on the Grand Banks | in Avalon | in Brigadoon | in Sherlock Holmes' London | in a
    peasouper | in a London particular | in Stephen King's Mist | in Silent Hill | with the Baskerville hound
    near | in clam chowder | in skimmed-milk air | in a glass of milk | in candyfloss | in wadding | in
    fleece | swaddled in grey | in grey gauze | in muslin | in gossamer | behind net curtains | behind
    tracing paper | behind waxed paper | with steamed-up windows | with condensation everywhere | in a sauna
    | in a Turkish bath | in dry ice | in stage smoke | with a smoke machine | behind a smokescreen | in a
    fug | in miasma | in Beijing air | in Delhi smog | at zero visibility | visibility fifty metres | unable
    to see the bonnet | can't see the kerb | can't see my hand | can't see ahead | driving blind | on
    instruments only | in IFR conditions | with planes grounded | with foghorns booming | with ferries
    hooting | with a lighthouse blinking | with a bell buoy tolling | with yellow fog lamps | with hazard
    lights blinking | crawling along carefully | following the white line | feeling our way | groping our way
    | head in the clouds | in low stratus | in hill cloud | beneath sagging clouds | with the cloud base zero
    | at dew point | in suspended droplets | in aerosol | in clinging damp | among phantoms | with spectres
    looming | with shapes looming | with edges dissolving | with outlines smudged | with everything smudged |
    out of focus | in soft focus | in sfumato | like a faded photograph | like an erased drawing | like a
    watercolour wash | with landmarks erased | with the world swallowed | with no background | in limbo | in
    a grey void | into nothingness | into oblivion | in monochrome | with sounds muffled | in soupy air | in
    filmy air | with wisps everywhere | with tendrils curling | with a pall over everything | under a grey
    lid | under a grey quilt | inside a pillow | inside a ping-pong ball | behind cataracts | with myopic
    vision | without my glasses | with blurry vision | under a fog warning | in lousy visibility | in a
    temperature inversion | like a ghost ship | on the Flying Dutchman | like Ripper Street | in the vapours
    | through cobwebs of grey | with bridges half gone | with towers cut off | guess where the kerb is | hide
    and seek air | with the view whited out`,
    `gloomy and misty | opaque | cloud-swallowed | cloudbound | obscured | dim and grey | mist-cloaked | unclear
    grey | low-visibility | clouded-in | turbid | grey-veiled | fog-filled | fog-veiled | fog-wrapped |
    fog-thick | fogged | fogged-in | mist-filled | mist-wrapped | mist-veiled | misty grey | nebulous | smoggy
    | steamy | milky | dim | blurred | faded | vague | indistinct | cloud-wrapped | eerie misty | ghostly |
    half-hidden | poor-visibility | pea-soup | woolly grey | brumous | caliginous | gauzy | filmy | gossamer
    | diaphanous | wispy | swaddled | muffled | muted grey | smothered | befogged | fogbound | mistbound |
    haar-bound | haar | smoke-screened | smog-choked | fuzzy | smudged | smudgy | unfocused | out-of-focus |
    soft-focus | soft-edged | edgeless | shapeless | formless | featureless | horizonless | half-seen |
    half-glimpsed | half-erased | dissolving | sightless | blindfolded | near-blind | zero-visibility |
    bad-visibility | fog-lamp | foghorn | lighthouse | spectral | phantom | wraithlike | Avalonian |
    Dickensian | Baskerville | Silent-Hill | Tule-fog | cotton-wool | fleecy | wadded | candyfloss |
    chowder-thick | condensation-filled | steamed-up | sauna-like | dry-ice | low-cloud | stratus | socked-in
    | greyed-out | whitish | curtained | cloaked`,
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
    storm | in wintry weather | in snowy weather | with hail and snow | inside a snow globe | like ticker
    tape falling | like dove feathers falling | with lace falling from heaven | as heaven empties its pillows
    | in a snow burst | with a winter weather advisory | as snow buries the bonnet | as snow clogs the wipers
    | as snow fills our tracks | as snow smothers the road | as snow rushes at us | as snow plasters the
    signs | with snow in my eyes | more snow every minute | with snow accumulating fast | with the ploughs
    barely coping | as crystals drift down | when Frau Holle shakes pillows | as goose feathers fall | as
    white confetti falls | as icing sugar sifts down | with powder dumping down | in a dump of powder | with
    six inches of powder | in whiteout conditions | in a nor'easter | in lake-effect snow | in graupel | in
    thundersnow | in a snizzle | in a Buran | in a purga | in spindrift | in Snowmageddon | in Snowpocalypse
    | in the Beast from East | with a blizzard warning | on a snow day | schools shut for snow | with snow in
    the forecast | as snow begins | as snow settles | as snow thickens | as snow pelts down | as snow sifts
    down | as snow descends | as snow sprinkles | as snow flies | as snow whips by | as snow stings my face |
    as snow hits the windscreen | with wipers pushing snow | with snowploughs out | with gritters out | while
    neighbours shovel driveways | as it starts snowing | it's snowing | it won't stop snowing | let it snow |
    in the Shining's storm | in a Hateful Eight blizzard | as Elsa conjures snowflakes | like a shaken
    paperweight | like torn paper falling | like TV static | like falling cotton | like dandruff falling |
    with cotton balls falling | with ice crystals falling | six-sided crystals falling | with diamond dust
    falling | with white specks flying | with white flecks everywhere | with white fluff falling | the white
    stuff falling | in swirling white | in a white squall | in horizontal snow | in sideways snow | in
    pelting snow | in stinging snow | in relentless snow | in incessant snow | in intermittent snow | in
    occasional snow | in spotty snow showers | in sticky snow | in steady snow | in continuous snowfall | in
    record snowfall | in silent snowfall | under snow-bearing clouds | under a snow-laden sky | through
    flying snow | through a snow shower | into a snowstorm | a blizzard raging | with the blizzard howling |
    with roads turning white | as the ground whitens | as roofs whiten | as the world turns white | as
    footprints fill up | as parked cars get buried | while children catch snowflakes | like pillow fight
    feathers | like grated coconut falling | like sifted flour falling | like polystyrene beads falling |
    like dandelion fluff falling | with sparkling specks descending | with snow gathering on hats | with snow
    collecting on shoulders | snowed on all the way | as the sky sheds feathers`,
    `snow-gusting | snow-swirling | lightly snowing | snow-tumbling | slushy | wintry-shower | snow-dusting |
    snow-spinning | heavily snowing | snow-drifting | snowing and blowing | snow-storming | snowflake |
    snow-gusty | snow-driven | snow-whipped | softly snowing | gently snowing | thickly snowing | blizzardy |
    blizzard-hit | snow-showery | wind-and-snow | snow-globe | snow-cloud | snow-blasted | snow-smothering |
    snow-plastering | snow-accumulating | snow-burst | pillow-fight | confetti-falling | crystal-drifting |
    snow-thickening | powder-falling | ticker-tape | blizzarding | blizzard-bound | blizzard-blown |
    white-swirling | white-flecked | white-speckled | snow-flecked | snow-speckled | snow-squally |
    snowstormy | snow-lashed | snow-pelted | snow-stung | snow-battered | snow-sifting | snow-sprinkling |
    snow-dumping | snow-bringing | snow-spitting | snow-scattering | snow-dancing | snow-flying |
    snow-hurling | snow-day | first-snow | graupel | thundersnow | lake-effect | nor'easter | winter-storm |
    spindrift | powder-dumping | steadily snowing | constantly snowing | still snowing | barely snowing |
    furiously snowing | wildly snowing | quietly snowing | silently snowing | endlessly snowing |
    relentlessly snowing | wet-snow | sticky-snow | diamond-dust | crystal-falling | feather-falling |
    shaken-globe | snowplough | Snowmageddon | confetti-white`,
  ),
}
